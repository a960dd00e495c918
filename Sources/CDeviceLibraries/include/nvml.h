// The NVIDIA Management Library, libnvidia-ml.so.1. Names, values and layouts are those of nvml.h 13.3, as NVIDIA/go-nvml carries it
// (gen/nvml/nvml.h); they have not changed since NVML 11 (nvmlMemory_v2_t), the rest since NVML 5.
#ifndef GODWIT_NVML_H
#define GODWIT_NVML_H

#include <stdint.h>

typedef struct godwit_nvml_device *godwit_nvml_device;

/// nvmlReturn_t.
enum {
  GODWIT_NVML_SUCCESS = 0,
  GODWIT_NVML_NOT_SUPPORTED = 3,
  GODWIT_NVML_NO_PERMISSION = 4,
  GODWIT_NVML_NOT_FOUND = 6,
  GODWIT_NVML_INSUFFICIENT_SIZE = 7,
  GODWIT_NVML_DRIVER_NOT_LOADED = 9,
  GODWIT_NVML_LIBRARY_NOT_FOUND = 12,
  GODWIT_NVML_FUNCTION_NOT_FOUND = 13,
  GODWIT_NVML_GPU_IS_LOST = 15,
  GODWIT_NVML_RESET_REQUIRED = 16,
  GODWIT_NVML_NO_DATA = 21,
  GODWIT_NVML_ARGUMENT_VERSION_MISMATCH = 25,
  GODWIT_NVML_GPU_NOT_FOUND = 28,
};

/// nvmlUtilization_t: percent.
struct godwit_nvml_utilization {
  uint32_t gpu, memory;
};

/// nvmlMemory_t: bytes.
struct godwit_nvml_memory {
  uint64_t total, free, used;
};

/// nvmlMemory_v2_t; `version` is NVML_STRUCT_VERSION(Memory, 2): the size, and 2 in the top byte.
///
/// ```
/// 0        4     8       16         24     32     40
/// | version | pad | total | reserved | free | used |
/// ```
struct godwit_nvml_memory_v2 {
  uint32_t version;
  uint64_t total, reserved, free, used;
};

/// nvmlPciInfo_t.
///
/// ```
/// 0               16       20    24       28         32          36      68
/// | legacy bus id | domain | bus | device | pci ids  | subsystem | bus id |
/// ```
struct godwit_nvml_pci {
  char legacy_bus_id[16];
  uint32_t domain, bus, device, pci_ids, subsystem_ids;
  char bus_id[32];
};

/// nvmlProcessInfo_v1_t: what nvmlDeviceGetComputeRunningProcesses fills. All ones for memory means not available.
struct godwit_nvml_process_v1 {
  uint32_t pid;
  uint64_t memory;
};

/// nvmlProcessInfo_v2_t: what its forms _v2 and _v3 fill.
struct godwit_nvml_process {
  uint32_t pid;
  uint64_t memory;
  uint32_t gpu_instance, compute_instance;
};

typedef int (*godwit_nvml_number)(godwit_nvml_device, uint32_t *);
typedef int (*godwit_nvml_choice)(godwit_nvml_device, uint32_t, uint32_t *);
typedef int (*godwit_nvml_text)(godwit_nvml_device, char *, uint32_t);
typedef int (*godwit_nvml_processes)(godwit_nvml_device, uint32_t *, struct godwit_nvml_process *);
typedef int (*godwit_nvml_processes_v1)(godwit_nvml_device, uint32_t *, struct godwit_nvml_process_v1 *);

struct godwit_nvml {
  int (*init)(void);
  int (*count)(uint32_t *);
  int (*device)(uint32_t, godwit_nvml_device *);
  int (*driver_version)(char *, uint32_t);
  int (*process_name)(uint32_t, char *, uint32_t);
  godwit_nvml_text name;
  int (*pci)(godwit_nvml_device, struct godwit_nvml_pci *);
  int (*utilization)(godwit_nvml_device, struct godwit_nvml_utilization *);
  int (*memory)(godwit_nvml_device, struct godwit_nvml_memory *);
  int (*memory_v2)(godwit_nvml_device, struct godwit_nvml_memory_v2 *);
  /// Sensor 0 is the GPU; threshold 1 is where it slows down.
  godwit_nvml_choice temperature, threshold;
  /// Milliwatts.
  godwit_nvml_number power, power_limit;
  /// MHz; 0 graphics, 1 SM, 2 memory, 3 video.
  godwit_nvml_choice clock, clock_max;
  /// Percent.
  godwit_nvml_number fans, fan;
  godwit_nvml_choice fan_v2;
  /// Error type 0 corrected, 1 uncorrected; counter 0 since the driver was loaded.
  int (*ecc)(godwit_nvml_device, uint32_t, uint32_t, unsigned long long *);
  int (*throttle)(godwit_nvml_device, unsigned long long *);
  godwit_nvml_number link_generation, link_width, link_generation_max, link_width_max;
  /// Percent, and the microseconds it was taken over.
  int (*encoder)(godwit_nvml_device, uint32_t *, uint32_t *);
  int (*decoder)(godwit_nvml_device, uint32_t *, uint32_t *);
  godwit_nvml_processes compute, graphics;
  godwit_nvml_processes_v1 compute_v1, graphics_v1;
};

/// Loads the library. Returns null, or why it cannot be loaded: the loader's text, valid until the next load.
const char *godwit_nvml_load(const char *path, struct godwit_nvml *library);

#endif
