/*
 * A stand-in for NVIDIA's management library with the same symbols and structures. What it answers is set by the environment:
 *   STUB_GPUS         number of GPUs (1)
 *   STUB_MEMORY       bytes of memory of each (24 GiB)
 *   STUB_FAIL         functions that fail with 999, separated by commas; "all" for every one
 *   STUB_FAIL_CODE    another code for them
 *   STUB_UNSUPPORTED  functions that answer "not supported"
 *   STUB_HANG         functions that never return while the file STUB_HANG_FILE exists
 *   STUB_CRASH        function that crashes the process
 *   STUB_XID          code of one critical error of GPU 0
 *   STUB_ECC          uncorrected memory errors of GPU 0
 *   STUB_THROTTLE     throttle reasons of every GPU
 *   STUB_ROWS_FAILED  1: a row of GPU 0 could not be remapped
 *   STUB_LOG          file to which each call appends its name
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static int listed(const char *variable, const char *name) {
  const char *list = getenv(variable);
  if (!list) return 0;
  if (strcmp(list, "all") == 0) return 1;
  size_t length = strlen(name);
  for (const char *at = strstr(list, name); at; at = strstr(at + 1, name))
    if ((at == list || at[-1] == ',') && (at[length] == 0 || at[length] == ',')) return 1;
  return 0;
}

static uint64_t setting(const char *variable, uint64_t otherwise) {
  const char *value = getenv(variable);
  return value ? strtoull(value, NULL, 0) : otherwise;
}

static int enter(const char *name) {
  const char *log = getenv("STUB_LOG");
  if (log) {
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file >= 0) {
      dprintf(file, "%s\n", name);
      close(file);
    }
  }
  if (listed("STUB_CRASH", name)) abort();
  while (listed("STUB_HANG", name) && getenv("STUB_HANG_FILE") && access(getenv("STUB_HANG_FILE"), F_OK) == 0) usleep(50000);
  if (listed("STUB_UNSUPPORTED", name)) return 3;
  if (listed("STUB_FAIL", name)) return (int)setting("STUB_FAIL_CODE", 999);
  return 0;
}

#define ENTER() do { int code = enter(__func__); if (code) return code; } while (0)

static uintptr_t first_handle = 0x1000;
static unsigned index_of(uintptr_t device) { return (unsigned)(device - first_handle); }

EXPORT int nvmlInit_v2(void) { ENTER(); return 0; }
EXPORT int nvmlSystemGetDriverVersion(char *out, unsigned size) { ENTER(); snprintf(out, size, "550.54.15"); return 0; }
EXPORT int nvmlSystemGetCudaDriverVersion_v2(int *out) { ENTER(); *out = 12040; return 0; }
EXPORT int nvmlDeviceGetCount_v2(unsigned *out) { ENTER(); *out = (unsigned)setting("STUB_GPUS", 1); return 0; }
EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, uintptr_t *out) {
  ENTER();
  if (index >= setting("STUB_GPUS", 1)) return 2;
  *out = first_handle + index;
  return 0;
}
EXPORT int nvmlDeviceGetName(uintptr_t device, char *out, unsigned size) { ENTER(); (void)device; snprintf(out, size, "NVIDIA L4"); return 0; }
EXPORT int nvmlDeviceGetUUID(uintptr_t device, char *out, unsigned size) {
  ENTER();
  snprintf(out, size, "GPU-00000000-0000-0000-0000-%012u", index_of(device));
  return 0;
}
EXPORT int nvmlDeviceGetPciInfo_v3(uintptr_t device, char *out) {
  ENTER();
  memset(out, 0, 68);
  snprintf(out + 36, 32, "00000000:%02X:00.0", index_of(device) + 1);
  return 0;
}
EXPORT int nvmlDeviceGetCudaComputeCapability(uintptr_t device, int *major, int *minor) { ENTER(); (void)device; *major = 8; *minor = 9; return 0; }
EXPORT int nvmlDeviceGetMemoryInfo(uintptr_t device, uint64_t *out) {
  ENTER();
  uint64_t total = setting("STUB_MEMORY", 24ull << 30);
  out[0] = total;
  out[2] = (1ull << 30) * (index_of(device) + 1);
  out[1] = total - out[2];
  return 0;
}
EXPORT int nvmlDeviceGetUtilizationRates(uintptr_t device, unsigned *out) { ENTER(); (void)device; out[0] = 37; out[1] = 12; return 0; }
EXPORT int nvmlDeviceGetTemperature(uintptr_t device, unsigned sensor, unsigned *out) { ENTER(); if (sensor != 0) return 2; *out = 41 + index_of(device); return 0; }
EXPORT int nvmlDeviceGetPowerUsage(uintptr_t device, unsigned *out) { ENTER(); (void)device; *out = 33500; return 0; }
EXPORT int nvmlDeviceGetEnforcedPowerLimit(uintptr_t device, unsigned *out) { ENTER(); (void)device; *out = 72000; return 0; }
EXPORT int nvmlDeviceGetClockInfo(uintptr_t device, unsigned type, unsigned *out) { ENTER(); (void)device; *out = type == 2 ? 6251 : 2040; return 0; }
EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(uintptr_t device, uint64_t *out) { ENTER(); (void)device; *out = setting("STUB_THROTTLE", 1); return 0; }
EXPORT int nvmlDeviceGetTotalEccErrors(uintptr_t device, unsigned type, unsigned counter, uint64_t *out) {
  ENTER();
  if (counter != 0) return 2;
  *out = type == 1 ? (index_of(device) == 0 ? setting("STUB_ECC", 0) : 0) : 5;
  return 0;
}
EXPORT int nvmlDeviceGetRetiredPages(uintptr_t device, unsigned cause, unsigned *count, uint64_t *addresses) {
  ENTER();
  (void)device;
  unsigned have = cause == 0 ? 2 : 1;
  if (!addresses || *count < have) { *count = have; return 7; }
  return 0;
}
EXPORT int nvmlDeviceGetRemappedRows(uintptr_t device, unsigned *corrected, unsigned *uncorrected, unsigned *pending, unsigned *failed) {
  ENTER();
  *corrected = 3; *uncorrected = 1; *pending = 0;
  *failed = index_of(device) == 0 ? (unsigned)setting("STUB_ROWS_FAILED", 0) : 0;
  return 0;
}
static int xid_told;
EXPORT int nvmlEventSetCreate(uintptr_t *out) { ENTER(); *out = 0x77; return 0; }
EXPORT int nvmlDeviceRegisterEvents(uintptr_t device, uint64_t types, uintptr_t set) { ENTER(); (void)device; return types == 8 && set == 0x77 ? 0 : 2; }
EXPORT int nvmlEventSetWait_v2(uintptr_t set, void *data, unsigned timeout) {
  ENTER();
  (void)timeout;
  if (set != 0x77) return 2;
  if (!getenv("STUB_XID") || xid_told) return 10;
  xid_told = 1;
  uint64_t event[4] = { first_handle, 8, setting("STUB_XID", 0), 0 };
  memcpy(data, event, sizeof event);
  return 0;
}
