/** What one unit of highlight costs against one unit of a wrong colour, when a texel's colour is chosen. */
const HIGHLIGHT_COST = 0.3;
/** Highlights of less than this are noise. */
const LEAST_HIGHLIGHT = 0.03;
/** A texel that differs by more than this from each colour with grey on top is of a colour of its own. */
const MOST_ERROR = 0.15;

/**
 * Takes highlights out of a base colour that was seen from few sides, so that they are left to the light. After the
 * dichromatic model (Shafer 1985): what a dielectric mirrors adds grey to its own colour. Each texel is explained by
 * one of the palette's colours and an amount of grey with the least error; the grey goes, whatever else differs from
 * the palette's colour stays; what is like none of them stays as it is.
 * @param baseColor linear, three per texel; changed in place
 * @param palette linear, three per colour
 * @param stride numbers from one texel's colour to the next
 * @param except numbers of texels that are left alone
 * @returns share of the texels that lost some
 */
export function removeHighlights(
  baseColor: Float32Array,
  palette: ArrayLike<number>,
  stride = 3,
  except: readonly Uint32Array[] = [],
): number {
  const skipped = new Uint8Array(baseColor.length / stride);
  for (const texels of except) for (const texel of texels) skipped[texel] = 1;
  let changed = 0;
  for (let i = 0; i < baseColor.length; i += stride) {
    if (skipped[i / stride]) continue;
    let least = Infinity;
    let highlight = 0;
    for (let k = 0; k < palette.length; k += 3) {
      const d = [0, 1, 2].map((c) => baseColor[i + c] - palette[k + c]);
      const grey = Math.max(0, (d[0] + d[1] + d[2]) / 3);
      const error = Math.hypot(d[0] - grey, d[1] - grey, d[2] - grey);
      const cost = error + HIGHLIGHT_COST * grey;
      if (error <= MOST_ERROR && cost < least) {
        least = cost;
        highlight = grey;
      }
    }
    if (highlight < LEAST_HIGHLIGHT) continue;
    changed++;
    for (let c = 0; c < 3; c++) baseColor[i + c] = Math.max(0, baseColor[i + c] - highlight);
  }
  return changed / (baseColor.length / stride);
}
