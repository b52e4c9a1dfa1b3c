/**
 * An orthonormal basis of the vectors that all `rows` rows of a matrix (row-major, rows × columns, overwritten) are
 * perpendicular to, by Householder reflections of the transpose with pivoting.
 *
 * @returns (columns − rows) vectors of `columns` numbers, one after the other
 */
export function nullSpace(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const reflections = new Float64Array(rows * columns);
  const a = matrix;
  for (let k = 0; k < rows; k++) {
    let pivot = k;
    let most = -1;
    for (let i = k; i < rows; i++) {
      let norm = 0;
      for (let c = k; c < columns; c++) norm += a[i * columns + c] ** 2;
      if (norm > most) {
        most = norm;
        pivot = i;
      }
    }
    if (pivot !== k) {
      for (let c = 0; c < columns; c++) {
        const held = a[k * columns + c];
        a[k * columns + c] = a[pivot * columns + c];
        a[pivot * columns + c] = held;
      }
    }
    const v = k * columns;
    const norm = Math.sqrt(most);
    for (let c = k; c < columns; c++) reflections[v + c] = a[k * columns + c];
    reflections[v + k] += reflections[v + k] >= 0 ? norm : -norm;
    let square = 0;
    for (let c = k; c < columns; c++) square += reflections[v + c] * reflections[v + c];
    if (square > 0) {
      const inverse = Math.sqrt(2 / square);
      for (let c = k; c < columns; c++) reflections[v + c] *= inverse;
      for (let i = k + 1; i < rows; i++) reflect(a, i * columns, reflections, v, k, columns);
    }
  }
  const out = new Float64Array((columns - rows) * columns);
  for (let n = rows; n < columns; n++) {
    const x = (n - rows) * columns;
    out[x + n] = 1;
    for (let k = rows - 1; k >= 0; k--) reflect(out, x, reflections, k * columns, k, columns);
  }
  return out;
}

/** x ← x − v (v·x), where v has length √2 and begins at `from`; x and v lie at their places in `xs` and `vs`. */
function reflect(xs: Float64Array, x: number, vs: Float64Array, v: number, from: number, columns: number): void {
  let d = 0;
  for (let c = from; c < columns; c++) d += xs[x + c] * vs[v + c];
  for (let c = from; c < columns; c++) xs[x + c] -= d * vs[v + c];
}
