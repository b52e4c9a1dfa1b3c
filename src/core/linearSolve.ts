/**
 * Solves the symmetric positive definite system a·x = b by Cholesky's method.
 *
 * @param a row-major n × n; only the lower triangle is read
 * @param b n numbers
 * @returns undefined where `a` is not positive definite
 */
export function solveSymmetric(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array<ArrayBuffer> | undefined {
  const x = Float64Array.from(b);
  return solveSymmetricInPlace(Float64Array.from(a), x, x.length) ? x : undefined;
}

/**
 * `solveSymmetric` for what is solved so often that copies would cost: the lower triangle of `a` is overwritten by its
 * factor L with a = L·Lᵀ, and `b` by x.
 *
 * @returns whether `a` was positive definite; where not, both are left half overwritten
 */
export function solveSymmetricInPlace(a: Float64Array, b: Float64Array, n: number): boolean {
  for (let j = 0; j < n; j++) {
    const rowJ = j * n;
    let d = a[rowJ + j];
    for (let k = 0; k < j; k++) d -= a[rowJ + k] * a[rowJ + k];
    if (!(d > 0)) return false;
    const root = Math.sqrt(d);
    a[rowJ + j] = root;
    for (let i = j + 1; i < n; i++) {
      const rowI = i * n;
      let s = a[rowI + j];
      for (let k = 0; k < j; k++) s -= a[rowI + k] * a[rowJ + k];
      a[rowI + j] = s / root;
    }
  }
  for (let i = 0; i < n; i++) {
    let s = b[i];
    for (let k = 0; k < i; k++) s -= a[i * n + k] * b[k];
    b[i] = s / a[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    let s = b[i];
    for (let k = i + 1; k < n; k++) s -= a[k * n + i] * b[k];
    b[i] = s / a[i * n + i];
  }
  return true;
}
