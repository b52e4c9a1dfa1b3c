import type { AdapterKind } from '../runtime/adapterFacts.js';

export interface AdapterNames {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
}

/**
 * Tells the kind of an adapter from its names, where neither WebGPU nor the driver says it. Intel calls both its cards
 * ("Arc A770", "Arc B580", "Data Center GPU") and its processors' graphics ("Arc Graphics") Arc; AMD calls its
 * processors' "Radeon Graphics", "Radeon Vega 8 Graphics" or "Radeon 780M".
 */
export function kindFromNames(names: AdapterNames): AdapterKind {
  const text = `${names.vendor} ${names.architecture} ${names.device} ${names.description}`.toLowerCase();
  if (/llvmpipe|swiftshader|lavapipe|microsoft basic render|\bcpu\b|software/.test(text)) return 'software';
  if (/nvidia|geforce|tesla|quadro/.test(text)) return /tegra|orin|xavier/.test(text) ? 'integrated' : 'discrete';
  if (/\barc(\(tm\))? (pro )?[ab]\d+/.test(text) || /intel.*(data center gpu|iris\(r\) xe max)/.test(text))
    return 'discrete';
  if (/intel|apple|adreno|mali|powervr|videocore|qualcomm/.test(text)) return 'integrated';
  if (/radeon (rx|pro|vii|ai pro)|instinct|firepro|\bmi\d{2,3}/.test(text)) return 'discrete';
  if (/radeon.*(graphics|\d{3}m\b)|custom gpu 0405|van ?gogh/.test(text)) return 'integrated';
  return 'unknown';
}
