/**
 * Solves the symmetric positive definite system a·x = b by Cholesky's method.
 *
 * @param a row-major n × n; only the lower triangle is read
 * @param b n numbers
 * @returns undefined where `a` is not positive definite
 */
export function solveSymmetric(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array<ArrayBuffer> | undefined {
  const n = b.length;
  const l = factor(a, n);
  if (!l) return undefined;
  const x = Float64Array.from(b);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= l[i * n + k] * x[k];
    x[i] /= l[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= l[k * n + i] * x[k];
    x[i] /= l[i * n + i];
  }
  return x;
}

/** The lower triangle L of a = L·Lᵀ. */
function factor(a: ArrayLike<number>, n: number): Float64Array | undefined {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let s = a[i * n + j];
      for (let k = 0; k < j; k++) s -= l[i * n + k] * l[j * n + k];
      if (i === j) {
        if (!(s > 0)) return undefined;
        l[i * n + i] = Math.sqrt(s);
      } else l[i * n + j] = s / l[j * n + j];
    }
  return l;
}
