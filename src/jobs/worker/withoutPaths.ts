/**
 * Absolute paths of two and more parts, but not addresses of the API. The last part is what tells people which file is
 * meant.
 */
const PATH = /(?<![\w.:/~-])\/(?!v1\/)(?:[\w.@+~-]+\/)+([\w.@+~-]+)/g;

/**
 * Text for clients, without where things lie on the server: paths below the given folders become relative, of other
 * absolute ones the last part stays.
 */
export function withoutPaths(text: string, folders: readonly string[]): string {
  let clean = text.replaceAll(/file:\/\/(?=\/)/g, '');
  for (const folder of [...folders].sort((a, b) => b.length - a.length)) {
    clean = clean.replaceAll(`${folder}/`, '').replaceAll(folder, '.');
  }
  return clean.replaceAll(PATH, '$1');
}
