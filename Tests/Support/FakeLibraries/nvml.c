// A libnvidia-ml.so.1 with two GPUs; declared as in nvml.h, apart from the project's own declarations.
#include "state.h"

#include <stdint.h>

typedef struct gpu *nvmlDevice_t;
struct gpu {
  unsigned index;
};
static struct gpu gpus[2] = {{0}, {1}};

typedef struct { unsigned int gpu, memory; } nvmlUtilization_t;
typedef struct { unsigned long long total, free, used; } nvmlMemory_t;
typedef struct { unsigned int version; unsigned long long total, reserved, free, used; } nvmlMemory_v2_t;
typedef struct {
  char busIdLegacy[16];
  unsigned int domain, bus, device, pciDeviceId, pciSubSystemId;
  char busId[32];
} nvmlPciInfo_t;
typedef struct { unsigned int pid; unsigned long long usedGpuMemory; } nvmlProcessInfo_v1_t;
typedef struct { unsigned int pid; unsigned long long usedGpuMemory; unsigned int gpuInstanceId, computeInstanceId; } nvmlProcessInfo_t;

#define GIB (1ULL << 30)

int nvmlInit_v2(void) {
  behave();
  return is("absent") ? 9 : is("mismatch") ? 18 : 0;
}

#ifndef WITHOUT_COUNT
int nvmlDeviceGetCount_v2(unsigned int *count) {
  *count = is("garbage") ? 0xFFFFFFFFu : 2;
  return 0;
}
#endif

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
  behave();
  if (index > 1) return 2;
  if (is("lost") || (is("one-lost") && index == 1)) return 15;
  *device = &gpus[index];
  return 0;
}

int nvmlSystemGetDriverVersion(char *version, unsigned int length) {
  snprintf(version, length, "570.86.15");
  return 0;
}

int nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length) {
  (void)device;
  if (is("garbage")) memset(name, 0xFF, length);
  else snprintf(name, length, "NVIDIA RTX A2000");
  return 0;
}

int nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *pci) {
  memset(pci, 0, sizeof *pci);
  pci->bus = device->index == 0 ? 1 : 0x65;
  return 0;
}

int nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *rates) {
  rates->gpu = is("garbage") ? 4000000000u : 37 + device->index;
  rates->memory = is("garbage") ? 101 : 12;
  return 0;
}

int nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
  (void)device;
  *memory = (nvmlMemory_t){12 * GIB, 9 * GIB, 3 * GIB};
  if (is("garbage")) memory->used = ~0ULL;
  return 0;
}

#ifndef WITHOUT_MEMORY_V2
int nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, nvmlMemory_v2_t *memory) {
  (void)device;
  if (memory->version != (sizeof(nvmlMemory_v2_t) | 2u << 24)) return 25;
  if (is("garbage")) return 999;
  memory->total = 12 * GIB;
  memory->reserved = GIB / 2;
  memory->used = 2 * GIB + GIB / 2;
  memory->free = 9 * GIB;
  return 0;
}
#endif

int nvmlDeviceGetTemperature(nvmlDevice_t device, unsigned int sensor, unsigned int *degrees) {
  if (sensor != 0) return 2;
  *degrees = is("garbage") ? 100000 : is("cold") ? (unsigned)-20 : 45 + device->index;
  return 0;
}

int nvmlDeviceGetTemperatureThreshold(nvmlDevice_t device, unsigned int type, unsigned int *degrees) {
  (void)device;
  *degrees = type == 0 ? 98 : 95;
  return 0;
}

#ifndef WITHOUT_POWER
int nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int *milliwatts) {
  *milliwatts = is("garbage") ? 0xFFFFFFFFu : 23456;
  return device->index == 1 ? 3 : 0;
}
#endif

int nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned int *milliwatts) {
  (void)device;
  *milliwatts = 70000;
  return 0;
}

int nvmlDeviceGetClockInfo(nvmlDevice_t device, unsigned int clock, unsigned int *megahertz) {
  (void)device;
  *megahertz = 1000 + clock;
  return clock > 3;
}

int nvmlDeviceGetMaxClockInfo(nvmlDevice_t device, unsigned int clock, unsigned int *megahertz) {
  (void)device;
  *megahertz = 2000 + clock;
  return clock > 3;
}

int nvmlDeviceGetFanSpeed(nvmlDevice_t device, unsigned int *percent) {
  (void)device;
  *percent = 30;
  return 0;
}

int nvmlDeviceGetTotalEccErrors(nvmlDevice_t device, unsigned int type, unsigned int counter, unsigned long long *count) {
  if (counter != 0) return 2;
  *count = type == 0 ? 7 : 1;
  return device->index == 0 ? 0 : 3;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device, unsigned long long *reasons) {
  (void)device;
  *reasons = 0x1 | 0x4 | 0x40;
  return 0;
}

int nvmlDeviceGetCurrPcieLinkGeneration(nvmlDevice_t device, unsigned int *value) { (void)device; *value = is("garbage") ? 77 : 3; return 0; }
int nvmlDeviceGetMaxPcieLinkGeneration(nvmlDevice_t device, unsigned int *value) { (void)device; *value = 4; return 0; }
int nvmlDeviceGetCurrPcieLinkWidth(nvmlDevice_t device, unsigned int *value) { (void)device; *value = 8; return 0; }
int nvmlDeviceGetMaxPcieLinkWidth(nvmlDevice_t device, unsigned int *value) { (void)device; *value = 16; return 0; }

int nvmlDeviceGetEncoderUtilization(nvmlDevice_t device, unsigned int *percent, unsigned int *period) {
  (void)device;
  *percent = 5;
  *period = 167000;
  return 0;
}

#ifdef OLD_PROCESSES
int nvmlDeviceGetComputeRunningProcesses(nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_v1_t *list) {
  (void)device;
  if (*count < 1) return 7;
  *count = 1;
  list[0] = (nvmlProcessInfo_v1_t){4711, GIB};
  return 0;
}
#else
int nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *list) {
  unsigned int wanted = is("many") ? 1000 : 3;
  if (is("garbage")) {
    *count = 0xFFFFFFFFu;
    return 0;
  }
  if (device->index == 1) {
    *count = 0;
    return 0;
  }
  if (*count < wanted) {
    *count = wanted;
    return 7;
  }
  *count = wanted;
  for (unsigned int index = 0; index < wanted; index++)
    list[index] = (nvmlProcessInfo_t){1000 + index, (index + 1) * (GIB / 1024), ~0u, ~0u};
  if (!is("many")) list[2].usedGpuMemory = ~0ULL;
  return 0;
}
#endif

int nvmlSystemGetProcessName(unsigned int pid, char *name, unsigned int length) {
  if (is("many")) snprintf(name, length, "/opt/app/worker-%u", pid);
  else snprintf(name, length, "/usr/bin/train");
  return 0;
}
