/**
 * The rows that a map of neighbours names, and the map with their places among them in place of their numbers.
 * @param map row numbers below `count`, −1 where there is none
 */
export function nearbyRows(map: Int32Array, count: number): { rows: Int32Array; map: Int32Array } {
  const named = new Uint8Array(count);
  for (const row of map) if (row >= 0) named[row] = 1;
  const places = new Int32Array(count);
  let found = 0;
  for (let row = 0; row < count; row++) if (named[row] === 1) places[row] = found++;
  const rows = new Int32Array(found);
  for (let row = 0; row < count; row++) if (named[row] === 1) rows[places[row]] = row;
  return { rows, map: map.map((row) => (row < 0 ? -1 : places[row])) };
}
