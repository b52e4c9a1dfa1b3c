/** The shortest decimal that reads back as the same 32-bit float. */
export function formatFloat(value: number): string {
  const v = Math.fround(value);
  if (Number.isInteger(v) && Math.abs(v) < 1e7) return Object.is(v, -0) ? '0' : String(v);
  for (let digits = 6; digits < 9; digits++) {
    const text = v.toPrecision(digits);
    if (Math.fround(Number(text)) === v) return String(Number(text));
  }
  return String(Number(v.toPrecision(9)));
}
