/** Edits (insert, delete, replace a character) from one word to another: Levenshtein's distance. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}

/** The known word that is the fewest edits away, to name to somebody who mistyped it; the first of several. */
export const nearest = (word: string, known: readonly string[]): string | undefined =>
  known.reduce<string | undefined>(
    (best, other) => (best === undefined || editDistance(word, other) < editDistance(word, best) ? other : best),
    undefined,
  );
