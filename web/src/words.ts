import { ApiError, type Failure, type RemedyWords, wordRemedy } from './api.js';

/** How the page calls its controls. What has none here is left out of remedies. */
const CONTROLS: Record<string, string> = {
  method: 'the choice of method',
  preset: 'preset',
  formats: '“Files to write”',
  name: '“Name”',
  invertMasks: '“Masks are the other way round”',
};

/** `textureSize` → "Texture size", as the form of a method's options calls it. */
export const titleOf = (name: string): string => {
  const spaced = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return spaced[0].toUpperCase() + spaced.slice(1);
};

const PAGE_WORDS: RemedyWords = {
  option: (name) => CONTROLS[name],
  methodOption: (name, value) => `“${titleOf(name)}”${value === undefined ? '' : ` ${value}`}`,
  // The methods with their options are what the page itself shows.
  command: (name) => (name === 'methods' ? 'the options of the method' : `plinth ${name}`),
  setting: (name) => `the setting ${name} of the service`,
};

/** What to do about something that the service reported, in the page's own words. */
export const remedyFor = ({ remedy, remedySteps }: Pick<Failure, 'remedy' | 'remedySteps'>): string | undefined =>
  remedySteps ? wordRemedy(remedySteps, PAGE_WORDS) : remedy;

/** Words for whatever was thrown. */
export function explain(error: unknown): { message: string; remedy?: string; code?: string } {
  if (error instanceof ApiError) {
    const { found, expected } = error.problem;
    const message = found ? `${sentence(found)}${expected ? ` Expected: ${sentence(expected)}` : ''}` : error.message;
    const hint = error.status === 403 ? 'Use a key whose scope allows this.' : undefined;
    return { message, remedy: remedyFor(error.problem) ?? hint, code: error.code };
  }
  if (error instanceof TypeError && /fetch|network|load/i.test(error.message)) {
    return { message: 'The service cannot be reached.', remedy: 'See whether it runs, then try again.' };
  }
  return { message: error instanceof Error ? error.message : String(error) };
}

const sentence = (text: string): string => (/[.!?:]$/.test(text) ? text : `${text}.`);
