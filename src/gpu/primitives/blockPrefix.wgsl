// Sum and prefix sums over the threads of a block of 1024 items, 16 to a thread. Both calls need uniform control flow.
// Few threads with many items each: barriers are dear on software adapters, and a serial run of 16 costs a GPU little.

const THREADS = 64u;
const ITEMS = 16u;
const ROW = 8u;

var<workgroup> partial: array<u32, 64>;
var<workgroup> rows: array<u32, 8>;

// Sum of what all threads bring; only thread 0 gets it, the others get 0.
fn blockTotal(t: u32, own: u32) -> u32 {
  partial[t] = own;
  workgroupBarrier();
  var sum = 0u;
  if (t == 0u) {
    for (var i = 0u; i < THREADS; i++) { sum += partial[i]; }
  }
  return sum;
}

// Sum of what the threads before this one bring.
fn blockPrefix(t: u32, own: u32) -> u32 {
  partial[t] = own;
  workgroupBarrier();
  if (t < ROW) {
    var sum = 0u;
    for (var i = t * ROW; i < (t + 1u) * ROW; i++) {
      let value = partial[i];
      partial[i] = sum;
      sum += value;
    }
    rows[t] = sum;
  }
  workgroupBarrier();
  var sum = partial[t];
  for (var i = 0u; i < t / ROW; i++) { sum += rows[i]; }
  return sum;
}
