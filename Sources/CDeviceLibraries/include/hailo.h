// HailoRT, libhailort.so. Names, values and layouts are those of hailo/hailort.h in hailo-ai/hailort, compared over its versions 4.8, 4.10,
// 4.13 to 4.22, 5.0 and 5.2: the fields declared here stood at the same place in all of them. The rest of a structure is room, for it grew and may
// grow on.
#ifndef GODWIT_HAILO_H
#define GODWIT_HAILO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct godwit_hailo_device *godwit_hailo_device;

enum {
  GODWIT_HAILO_SUCCESS = 0,
  GODWIT_HAILO_INSUFFICIENT_BUFFER = 5,
  GODWIT_HAILO_NOT_FOUND = 61,
  GODWIT_HAILO_DRIVER_NOT_INSTALLED = 64,
  GODWIT_HAILO_OUT_OF_PHYSICAL_DEVICES = 74,
  /// HAILO_DVM_OPTIONS_AUTO: what the board measures by itself.
  GODWIT_HAILO_DVM_AUTO = 0x7FFFFFFF,
  /// HAILO_POWER_MEASUREMENT_TYPES__POWER: watts.
  GODWIT_HAILO_POWER = 2,
};

/// hailo_device_id_t: `0000:01:00.0`, ended by 0.
struct godwit_hailo_id {
  char text[32];
};

/// hailo_version_t.
struct godwit_hailo_version {
  uint32_t major, minor, revision;
};

/// hailo_device_identity_t. Between the board's name and the architecture stand two to four flags, which the alignment hides.
///
/// ```
/// 0        4          16     20       21      53     56     60       61       77       78     94       95
/// | protocol | firmware | logger | length | board | flags | arch | length | serial | length | part | length | product (42)
/// ```
struct godwit_hailo_identity {
  uint32_t protocol;
  struct godwit_hailo_version firmware;
  uint32_t logger;
  uint8_t board_length;
  char board[32];
  uint8_t flags[3];
  uint32_t architecture;
  uint8_t serial_length;
  char serial[16];
  uint8_t part_length;
  char part[16];
  uint8_t product_length;
  char product[42];
  uint8_t room[512];
};

/// hailo_extended_device_information_t begins with the clock of the cores, Hz.
struct godwit_hailo_extended {
  uint32_t clock;
  uint8_t room[508];
};

/// hailo_chip_temperature_info_t: degrees Celsius of two sensors.
struct godwit_hailo_temperature {
  float ts0, ts1;
  uint16_t samples;
  uint8_t room[500];
};

struct godwit_hailo {
  int (*version)(struct godwit_hailo_version *);
  int (*scan)(void *, struct godwit_hailo_id *, size_t *);
  int (*create)(const struct godwit_hailo_id *, godwit_hailo_device *);
  int (*release)(godwit_hailo_device);
  int (*identify)(godwit_hailo_device, struct godwit_hailo_identity *);
  int (*extended)(godwit_hailo_device, struct godwit_hailo_extended *);
  int (*temperature)(godwit_hailo_device, struct godwit_hailo_temperature *);
  int (*throttling)(godwit_hailo_device, bool *);
  int (*power)(godwit_hailo_device, int, int, float *);
};

/// Loads the library. Returns null, or why it cannot be loaded: the loader's text, valid until the next load.
const char *godwit_hailo_load(const char *path, struct godwit_hailo *library);

/// The devices' ids, at most `room` of them; their number, or the negated status.
int godwit_hailo_scan(const struct godwit_hailo *library, struct godwit_hailo_id *ids, size_t room);

/// Copies a text that fills at most `size` bytes and may lack its end, and ends it; `text` has one byte more.
void godwit_hailo_id_text(const struct godwit_hailo_id *id, char text[33]);
void godwit_hailo_board_text(const struct godwit_hailo_identity *identity, char text[33]);
void godwit_hailo_product_text(const struct godwit_hailo_identity *identity, char text[43]);

#endif
