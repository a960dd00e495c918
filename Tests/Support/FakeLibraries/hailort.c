// A libhailort.so with one Hailo-8; declared as in hailort.h of 4.22, apart from the project's own declarations.
#include "state.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef MAJOR
#define MAJOR 4
#endif

typedef struct device *hailo_device;
struct device {
  int open;
};
static struct device device;

typedef struct { uint32_t major, minor, revision; } hailo_version_t;
typedef struct { char id[32]; } hailo_device_id_t;
typedef struct {
  uint32_t protocol_version;
  hailo_version_t fw_version;
  uint32_t logger_version;
  uint8_t board_name_length;
  char board_name[32];
  bool is_release;
#if MAJOR >= 5
  bool extended_context_switch_buffer;
  bool extended_fw_check;
#endif
  int device_architecture;
  uint8_t serial_number_length;
  char serial_number[16];
  uint8_t part_number_length;
  char part_number[16];
  uint8_t product_name_length;
  char product_name[42];
} hailo_device_identity_t;
typedef struct { float ts0_temperature, ts1_temperature; uint16_t sample_count; } hailo_chip_temperature_info_t;

int hailo_get_library_version(hailo_version_t *version) {
  *version = (hailo_version_t){MAJOR, 22, 0};
  return 0;
}

int hailo_scan_devices(void *params, hailo_device_id_t *ids, size_t *length) {
  behave();
  if (params != NULL) return 2;
  if (is("absent")) return 64;
  if (is("none")) {
    *length = 0;
    return 0;
  }
  if (*length < 1) return 5;
  *length = is("garbage") ? 100000 : 1;
  memcpy(ids[0].id, "0000:01:00.0", 13);
  return 0;
}

int hailo_create_device_by_id(const hailo_device_id_t *id, hailo_device *made) {
  if (strcmp(id->id, "0000:01:00.0") != 0) return 61;
  device.open = 1;
  *made = &device;
  return 0;
}

int hailo_release_device(hailo_device released) {
  released->open = 0;
  return 0;
}

int hailo_identify(hailo_device asked, hailo_device_identity_t *identity) {
  (void)asked;
  memset(identity, 0, sizeof *identity);
  identity->fw_version = (hailo_version_t){4, 20, 0};
  identity->board_name_length = 7;
  memcpy(identity->board_name, "Hailo-8", 7);
  identity->device_architecture = 2;
#ifdef PRODUCT
  memcpy(identity->product_name, PRODUCT, sizeof PRODUCT - 1);
#endif
  return 0;
}

int hailo_get_extended_device_information(hailo_device asked, uint32_t *clock) {
  (void)asked;
  *clock = 400000000;
  return 0;
}

#ifndef WITHOUT_TEMPERATURE
int hailo_get_chip_temperature(hailo_device asked, hailo_chip_temperature_info_t *answer) {
  behave();
  if (is("lost")) return 36;
  *answer = (hailo_chip_temperature_info_t){51.5f, 52.25f, 10};
  if (is("garbage")) *answer = (hailo_chip_temperature_info_t){NAN, 1e30f, 0};
  return asked->open ? 0 : 2;
}
#endif

int hailo_get_throttling_state(hailo_device asked, bool *active) {
  (void)asked;
  *active = true;
  return is("lost") ? 36 : 0;
}

int hailo_power_measurement(hailo_device asked, int dvm, int type, float *value) {
  (void)asked;
  *value = is("garbage") ? INFINITY : 2.75f;
  return dvm == 0x7FFFFFFF && type == 2 ? 0 : 2;
}
