// Activations by number, in the order of ACTIVATIONS in ops.ts.

const SQRT_HALF = 0.70710678118654752;
const SQRT_2_OVER_PI = 0.79788456080286536;

// erf to 1.5e-7 (Abramowitz & Stegun 7.1.26).
fn erf(x: f32) -> f32 {
  let a = abs(x);
  let t = 1.0 / fma(0.3275911, a, 1.0);
  let p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return sign(x) * (1.0 - p * exp(-a * a));
}

// The argument is held in, since drivers differ in what tanh gives for large ones.
fn safeTanh(x: f32) -> f32 { return tanh(clamp(x, -15.0, 15.0)); }

fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(-clamp(x, -87.0, 87.0))); }

fn activate(kind: u32, x: f32) -> f32 {
  switch kind {
    case 1u: { return 0.5 * x * (1.0 + erf(x * SQRT_HALF)); }
    case 2u: { return 0.5 * x * (1.0 + safeTanh(SQRT_2_OVER_PI * fma(0.044715 * x * x, x, x))); }
    case 3u: { return x * sigmoid(x); }
    case 4u: { return max(x, 0.0); }
    case 5u: { return sigmoid(x); }
    case 6u: { return safeTanh(x); }
    case 7u: { return select(log(1.0 + exp(min(x, 20.0))), x, x > 20.0); }
    default: { return x; }
  }
}
