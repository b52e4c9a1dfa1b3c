// Adam (Kingma & Ba 2015) on what many texels share, a few numbers at a time. There is a step only now and then:
// memories are shorter than those of single texels.

const BETA1 : f32 = 0.8;
const BETA2 : f32 = 0.95;

struct Moments {
  first : vec3f,
  second : vec3f,
};

fn movedMoments(before : Moments, gradient : vec3f) -> Moments {
  return Moments(mix(gradient, before.first, BETA1), mix(gradient * gradient, before.second, BETA2));
}

// What to subtract at a rate of 1.
// @param steps those that the moments have seen
fn adamStep(moments : Moments, steps : f32) -> vec3f {
  let correction = sqrt(1.0 - pow(BETA2, steps)) / (1.0 - pow(BETA1, steps));
  return correction * moments.first / (sqrt(moments.second) + 1e-12);
}
