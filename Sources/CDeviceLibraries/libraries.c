#include "CDeviceLibraries.h"

#include <dlfcn.h>
#include <string.h>

_Static_assert(sizeof(struct godwit_nvml_memory_v2) == 40, "nvmlMemory_v2_t");
_Static_assert(sizeof(struct godwit_nvml_pci) == 68, "nvmlPciInfo_t");
_Static_assert(sizeof(struct godwit_nvml_process) == 24, "nvmlProcessInfo_v2_t");
_Static_assert(sizeof(struct godwit_nvml_process_v1) == 16, "nvmlProcessInfo_v1_t");
_Static_assert(offsetof(struct godwit_hailo_identity, board) == 21, "hailo_device_identity_t.board_name");
_Static_assert(offsetof(struct godwit_hailo_identity, architecture) == 56, "hailo_device_identity_t.device_architecture");
_Static_assert(offsetof(struct godwit_hailo_identity, product) == 95, "hailo_device_identity_t.product_name");
_Static_assert(sizeof(bool) == 1, "bool of hailort.h");

/// Its functions are called until the process ends, so it is never unloaded.
static const char *load(const char *path, void **library) {
  dlerror();
  *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  return *library == NULL ? dlerror() : NULL;
}

/// A function pointer through the bytes of an object pointer, as dlsym(3) has it. The first name that there is.
static void find(void *library, void *function, const char *name, const char *other) {
  void *address = dlsym(library, name);
  if (address == NULL && other != NULL) address = dlsym(library, other);
  memcpy(function, &address, sizeof address);
}

const char *godwit_nvml_load(const char *path, struct godwit_nvml *nvml) {
  void *library;
  memset(nvml, 0, sizeof *nvml);
  const char *error = load(path, &library);
  if (error != NULL) return error;
  find(library, &nvml->init, "nvmlInit_v2", NULL);
  find(library, &nvml->count, "nvmlDeviceGetCount_v2", NULL);
  find(library, &nvml->device, "nvmlDeviceGetHandleByIndex_v2", NULL);
  find(library, &nvml->driver_version, "nvmlSystemGetDriverVersion", NULL);
  find(library, &nvml->process_name, "nvmlSystemGetProcessName", NULL);
  find(library, &nvml->name, "nvmlDeviceGetName", NULL);
  find(library, &nvml->pci, "nvmlDeviceGetPciInfo_v3", NULL);
  find(library, &nvml->utilization, "nvmlDeviceGetUtilizationRates", NULL);
  find(library, &nvml->memory, "nvmlDeviceGetMemoryInfo", NULL);
  find(library, &nvml->memory_v2, "nvmlDeviceGetMemoryInfo_v2", NULL);
  find(library, &nvml->temperature, "nvmlDeviceGetTemperature", NULL);
  find(library, &nvml->threshold, "nvmlDeviceGetTemperatureThreshold", NULL);
  find(library, &nvml->power, "nvmlDeviceGetPowerUsage", NULL);
  find(library, &nvml->power_limit, "nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetPowerManagementLimit");
  find(library, &nvml->clock, "nvmlDeviceGetClockInfo", NULL);
  find(library, &nvml->clock_max, "nvmlDeviceGetMaxClockInfo", NULL);
  find(library, &nvml->fans, "nvmlDeviceGetNumFans", NULL);
  find(library, &nvml->fan, "nvmlDeviceGetFanSpeed", NULL);
  find(library, &nvml->fan_v2, "nvmlDeviceGetFanSpeed_v2", NULL);
  find(library, &nvml->ecc, "nvmlDeviceGetTotalEccErrors", NULL);
  find(library, &nvml->throttle, "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons");
  find(library, &nvml->link_generation, "nvmlDeviceGetCurrPcieLinkGeneration", NULL);
  find(library, &nvml->link_width, "nvmlDeviceGetCurrPcieLinkWidth", NULL);
  find(library, &nvml->link_generation_max, "nvmlDeviceGetMaxPcieLinkGeneration", NULL);
  find(library, &nvml->link_width_max, "nvmlDeviceGetMaxPcieLinkWidth", NULL);
  find(library, &nvml->encoder, "nvmlDeviceGetEncoderUtilization", NULL);
  find(library, &nvml->decoder, "nvmlDeviceGetDecoderUtilization", NULL);
  find(library, &nvml->compute, "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2");
  find(library, &nvml->graphics, "nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2");
  find(library, &nvml->compute_v1, "nvmlDeviceGetComputeRunningProcesses", NULL);
  find(library, &nvml->graphics_v1, "nvmlDeviceGetGraphicsRunningProcesses", NULL);
  return NULL;
}

const char *godwit_hailo_load(const char *path, struct godwit_hailo *hailo) {
  void *library;
  memset(hailo, 0, sizeof *hailo);
  const char *error = load(path, &library);
  if (error != NULL) return error;
  find(library, &hailo->version, "hailo_get_library_version", NULL);
  find(library, &hailo->scan, "hailo_scan_devices", NULL);
  find(library, &hailo->create, "hailo_create_device_by_id", NULL);
  find(library, &hailo->release, "hailo_release_device", NULL);
  find(library, &hailo->identify, "hailo_identify", NULL);
  find(library, &hailo->extended, "hailo_get_extended_device_information", NULL);
  find(library, &hailo->temperature, "hailo_get_chip_temperature", NULL);
  find(library, &hailo->throttling, "hailo_get_throttling_state", NULL);
  find(library, &hailo->power, "hailo_power_measurement", NULL);
  return NULL;
}

int godwit_hailo_scan(const struct godwit_hailo *hailo, struct godwit_hailo_id *ids, size_t room) {
  size_t count = room;
  int status = hailo->scan(NULL, ids, &count);
  if (status != GODWIT_HAILO_SUCCESS) return -status;
  return (int)(count < room ? count : room);
}

static void copy_text(char *text, const char *from, size_t size) {
  memcpy(text, from, size);
  text[size] = 0;
}

void godwit_hailo_id_text(const struct godwit_hailo_id *id, char text[33]) { copy_text(text, id->text, sizeof id->text); }

void godwit_hailo_board_text(const struct godwit_hailo_identity *identity, char text[33]) {
  copy_text(text, identity->board, sizeof identity->board);
}

void godwit_hailo_product_text(const struct godwit_hailo_identity *identity, char text[43]) {
  copy_text(text, identity->product, sizeof identity->product);
}
