import { TEXEL_FLOATS } from '../start/spreadTexels.js';
import type { Start } from '../start/start.js';
import type { OptimizerState } from '../step/optimizer/optimizerState.js';

/** Of one colour and one gloss throughout. */
export interface Stuff {
  color: readonly number[];
  roughness: number;
  metallic: number;
}

/** A start in which the candidate's texels are of one stuff. */
export function madeOf(start: Start, own: Uint32Array, { color, roughness, metallic }: Stuff): Start {
  const texels = start.texels.slice();
  for (const texel of own) {
    texels.set(color, texel * TEXEL_FLOATS);
    texels[texel * TEXEL_FLOATS + 4] = roughness;
    texels[texel * TEXEL_FLOATS + 5] = metallic;
  }
  return { ...start, texels, palette: Float64Array.of(...color, ...start.palette) };
}

/**
 * The optimiser's state with texels of one stuff and without a past: those of the smaller texture that are the
 * candidate's for the greater part.
 */
export function stateOf(
  state: OptimizerState,
  own: Uint32Array,
  { color, roughness, metallic }: Stuff,
  size: number,
  factor: number,
): OptimizerState {
  const small = size / factor;
  const parts = new Float32Array(small * small);
  for (const texel of own) {
    parts[Math.floor(texel / size / factor) * small + Math.floor((texel % size) / factor)] += 1 / (factor * factor);
  }
  const [texels, moment1, moment2] = [state.texels.slice(), state.moment1.slice(), state.moment2.slice()];
  parts.forEach((part, i) => {
    if (part < 0.5) return;
    const at = i * TEXEL_FLOATS;
    texels.set([...color, texels[at + 3], roughness, metallic], at);
    moment1.fill(0, at, at + TEXEL_FLOATS);
    moment2.fill(0, at, at + TEXEL_FLOATS);
  });
  return { ...state, texels, moment1, moment2 };
}
