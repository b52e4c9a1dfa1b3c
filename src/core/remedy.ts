/**
 * What a user can do about an error or a warning, as data. The rooms that find a fault name the option or command that
 * helps; how it is called depends on where the remedy is read: a flag on the command line, a field over HTTP, a control
 * on the page. Whoever shows it words it.
 */

/** Something that a remedy names. */
export type RemedyTerm =
  /** An option of reading, reconstructing or writing, by its name in the library, such as `maxViews` or `method`. */
  | { option: string; value?: string }
  /** An option of the method at work, such as `imageSize`. */
  | { methodOption: string; value?: string }
  /** A command of `plinth`, such as `doctor --fix`. */
  | { command: string }
  /** A setting of the service, such as `limits.bodyBytes`. */
  | { setting: string; value?: string };

/** Words and what they name, in their order; joined they make one way to help. */
export type RemedyStep = readonly (string | RemedyTerm)[];

/** Plain words, or ways to help of which one is enough. */
export type Remedy = string | readonly RemedyStep[];

/** How terms are called in one place; `undefined` where there is no such thing, which drops the step that names it. */
export interface RemedyWords {
  /** An option of the capture or the run. */
  option(name: string, value: string | undefined): string | undefined;
  /** An option of the method. */
  methodOption(name: string, value: string | undefined): string | undefined;
  /** Another thing to do. */
  command(name: string): string | undefined;
  /** A setting of the installation. */
  setting(name: string, value: string | undefined): string | undefined;
}

/** One way to help: `` step`choose another folder with ${option('output')}` ``. */
export function step(words: TemplateStringsArray, ...terms: (string | RemedyTerm)[]): RemedyStep {
  return words.flatMap((text, i) => [...(text === '' ? [] : [text]), ...(i < terms.length ? [terms[i]] : [])]);
}

/** A remedy of one step. */
export const remedy = (words: TemplateStringsArray, ...terms: (string | RemedyTerm)[]): Remedy => [
  step(words, ...terms),
];

/** Ways to help, of which one is enough. */
export const anyOf = (...steps: RemedyStep[]): Remedy => steps;

export const option = (name: string, value?: string): RemedyTerm => ({ option: name, value });
export const methodOption = (name: string, value?: string): RemedyTerm => ({ methodOption: name, value });
export const command = (name: string): RemedyTerm => ({ command: name });
export const setting = (name: string, value?: string): RemedyTerm => ({ setting: name, value });

/** The remedy as text: its steps joined by "or". Absent where none of them can be taken there. */
export function wordRemedy(given: Remedy | undefined, words: RemedyWords): string | undefined {
  if (given === undefined || typeof given === 'string') return given || undefined;
  const steps = given.map((parts) => wordStep(parts, words)).filter((text) => text !== undefined);
  if (steps.length === 0) return undefined;
  const [first, ...rest] = steps;
  const all = [first[0].toUpperCase() + first.slice(1), ...rest];
  return all.length < 2 ? all[0] : `${all.slice(0, -1).join(', ')}, or ${all.at(-1)}`;
}

function wordStep(parts: RemedyStep, words: RemedyWords): string | undefined {
  const texts = parts.map((part) => {
    if (typeof part === 'string') return part;
    if ('option' in part) return words.option(part.option, part.value);
    if ('methodOption' in part) return words.methodOption(part.methodOption, part.value);
    if ('command' in part) return words.command(part.command);
    return words.setting(part.setting, part.value);
  });
  return texts.includes(undefined) ? undefined : texts.join('');
}

const assign = (name: string, value: string | undefined): string =>
  value === undefined ? `\`${name}\`` : `\`${name}: ${value}\``;

/** For programs that use Plinth as a library, for logs and for files: names as the library has them. */
export const LIBRARY_WORDS: RemedyWords = {
  option: assign,
  methodOption: assign,
  command: (name) => `\`plinth ${name}\``,
  setting: assign,
};
