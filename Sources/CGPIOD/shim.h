// One face over libgpiod 1.x and 2.x, whose functions are not source compatible. Only 1.x defines GPIOD_LINE_BULK_MAX_LINES.
//
// 1.x speaks the kernel's first GPIO interface, 2.x the second (Linux 5.10). What only the second has: debouncing in the kernel, numbered
// edges (a gap tells how many were lost), a queue longer than 16 edges, one descriptor for all lines of a request.
//
// Every function returns 0 or more, or -errno.
#ifndef GODWIT_CGPIOD_H
#define GODWIT_CGPIOD_H

#include <errno.h>
#include <gpiod.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef GPIOD_LINE_BULK_MAX_LINES
#define GODWIT_GPIO_FIRST_INTERFACE 1
#else
#define GODWIT_GPIO_FIRST_INTERFACE 0
#endif

// GPIO_V2_LINES_MAX of <linux/gpio.h>; the first interface takes lines one by one.
#define GODWIT_GPIO_LINES 64
// The kernel queues 16 edges a line in the first interface, and at most 1024 a request in the second, where it is asked for.
#define GODWIT_GPIO_FIRST_QUEUE 16
#define GODWIT_GPIO_SECOND_QUEUE 1024

enum { GODWIT_GPIO_BIAS_AS_IS, GODWIT_GPIO_BIAS_DISABLED, GODWIT_GPIO_BIAS_PULL_UP, GODWIT_GPIO_BIAS_PULL_DOWN };
enum { GODWIT_GPIO_EDGE_NONE, GODWIT_GPIO_EDGE_RISING, GODWIT_GPIO_EDGE_FALLING, GODWIT_GPIO_EDGE_BOTH };
enum { GODWIT_GPIO_PUSH_PULL, GODWIT_GPIO_OPEN_DRAIN, GODWIT_GPIO_OPEN_SOURCE };

// Names are GPIO_MAX_NAME_SIZE (32) bytes in the kernel, the zero byte included.
struct godwit_gpio_chip_facts {
  char name[32], label[32];
  uint32_t lines;
};
struct godwit_gpio_line_facts {
  char name[32], consumer[32];
  uint8_t used, output, active_low;
};

// How a line is asked for. `debounce_microseconds` has no effect in the first interface.
struct godwit_gpio_line_wish {
  uint32_t offset, debounce_microseconds;
  uint8_t output, bias, active_low, edges, drive, value;
};

// An edge of the logical level. `sequence` counts the edges of the line from 1; 0 in the first interface.
struct godwit_gpio_edge {
  int64_t nanoseconds;
  uint32_t index, sequence;
  uint8_t rising;
};

// Lines held by this process.
struct godwit_gpio_request {
  struct gpiod_chip *chip;
  uint32_t count;
  uint32_t offsets[GODWIT_GPIO_LINES];
#if GODWIT_GPIO_FIRST_INTERFACE
  struct gpiod_line *lines[GODWIT_GPIO_LINES];
#else
  struct gpiod_line_request *request;
  struct gpiod_edge_event_buffer *events;
#endif
};

static inline int godwit_gpio_failure(void) { return errno > 0 ? -errno : -EIO; }

static inline void godwit_gpio_copy(char *to, const char *from) {
  size_t length = from ? strnlen(from, 31) : 0;
  if (length) memcpy(to, from, length);
  to[length] = 0;
}

static inline int godwit_gpio_open(const char *path, struct gpiod_chip **chip) {
  errno = 0;
  *chip = gpiod_chip_open(path);
  return *chip ? 0 : godwit_gpio_failure();
}

static inline void godwit_gpio_close(struct gpiod_chip *chip) { gpiod_chip_close(chip); }

static inline int godwit_gpio_chip(struct gpiod_chip *chip, struct godwit_gpio_chip_facts *facts) {
#if GODWIT_GPIO_FIRST_INTERFACE
  godwit_gpio_copy(facts->name, gpiod_chip_name(chip));
  godwit_gpio_copy(facts->label, gpiod_chip_label(chip));
  facts->lines = gpiod_chip_num_lines(chip);
#else
  struct gpiod_chip_info *info = gpiod_chip_get_info(chip);
  if (!info) return godwit_gpio_failure();
  godwit_gpio_copy(facts->name, gpiod_chip_info_get_name(info));
  godwit_gpio_copy(facts->label, gpiod_chip_info_get_label(info));
  facts->lines = (uint32_t)gpiod_chip_info_get_num_lines(info);
  gpiod_chip_info_free(info);
#endif
  return 0;
}

static inline int godwit_gpio_line(struct gpiod_chip *chip, uint32_t offset, struct godwit_gpio_line_facts *facts) {
  errno = 0;
#if GODWIT_GPIO_FIRST_INTERFACE
  struct gpiod_line *line = gpiod_chip_get_line(chip, offset);
  if (!line) return godwit_gpio_failure();
  godwit_gpio_copy(facts->name, gpiod_line_name(line));
  godwit_gpio_copy(facts->consumer, gpiod_line_consumer(line));
  facts->used = gpiod_line_is_used(line);
  facts->output = gpiod_line_direction(line) == GPIOD_LINE_DIRECTION_OUTPUT;
  facts->active_low = gpiod_line_active_state(line) == GPIOD_LINE_ACTIVE_STATE_LOW;
#else
  struct gpiod_line_info *line = gpiod_chip_get_line_info(chip, offset);
  if (!line) return godwit_gpio_failure();
  godwit_gpio_copy(facts->name, gpiod_line_info_get_name(line));
  godwit_gpio_copy(facts->consumer, gpiod_line_info_get_consumer(line));
  facts->used = gpiod_line_info_is_used(line);
  facts->output = gpiod_line_info_get_direction(line) == GPIOD_LINE_DIRECTION_OUTPUT;
  facts->active_low = gpiod_line_info_is_active_low(line);
  gpiod_line_info_free(line);
#endif
  return 0;
}

static inline void godwit_gpio_release(struct godwit_gpio_request *request) {
  if (!request) return;
#if GODWIT_GPIO_FIRST_INTERFACE
  for (uint32_t index = 0; index < request->count; index++) gpiod_line_release(request->lines[index]);
#else
  if (request->request) gpiod_line_request_release(request->request);
  if (request->events) gpiod_edge_event_buffer_free(request->events);
#endif
  if (request->chip) gpiod_chip_close(request->chip);
  free(request);
}

#if GODWIT_GPIO_FIRST_INTERFACE
static inline int godwit_gpio_take(
    struct godwit_gpio_request *request, const char *consumer, const struct godwit_gpio_line_wish *wishes, uint32_t count) {
  static const int biases[] = {0, GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE, GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP,
                               GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN};
  static const int edges[] = {GPIOD_LINE_REQUEST_DIRECTION_INPUT, GPIOD_LINE_REQUEST_EVENT_RISING_EDGE,
                              GPIOD_LINE_REQUEST_EVENT_FALLING_EDGE, GPIOD_LINE_REQUEST_EVENT_BOTH_EDGES};
  static const int drives[] = {0, GPIOD_LINE_REQUEST_FLAG_OPEN_DRAIN, GPIOD_LINE_REQUEST_FLAG_OPEN_SOURCE};
  for (uint32_t index = 0; index < count; index++) {
    const struct godwit_gpio_line_wish *wish = &wishes[index];
    struct gpiod_line *line = gpiod_chip_get_line(request->chip, wish->offset);
    if (!line) return godwit_gpio_failure();
    struct gpiod_line_request_config config = {.consumer = consumer};
    config.request_type = wish->output ? GPIOD_LINE_REQUEST_DIRECTION_OUTPUT : edges[wish->edges & 3];
    config.flags = biases[wish->bias & 3] | (wish->active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0);
    if (wish->output && wish->drive <= GODWIT_GPIO_OPEN_SOURCE) config.flags |= drives[wish->drive];
    if (gpiod_line_request(line, &config, wish->value) != 0) return godwit_gpio_failure();
    request->lines[index] = line;
    request->offsets[index] = wish->offset;
    // What was taken so far is released on failure.
    request->count = index + 1;
  }
  return 0;
}
#else
static inline int godwit_gpio_configure(struct gpiod_line_config *config, const struct godwit_gpio_line_wish *wish) {
  static const enum gpiod_line_bias biases[] = {
      GPIOD_LINE_BIAS_AS_IS, GPIOD_LINE_BIAS_DISABLED, GPIOD_LINE_BIAS_PULL_UP, GPIOD_LINE_BIAS_PULL_DOWN};
  static const enum gpiod_line_edge edges[] = {
      GPIOD_LINE_EDGE_NONE, GPIOD_LINE_EDGE_RISING, GPIOD_LINE_EDGE_FALLING, GPIOD_LINE_EDGE_BOTH};
  static const enum gpiod_line_drive drives[] = {
      GPIOD_LINE_DRIVE_PUSH_PULL, GPIOD_LINE_DRIVE_OPEN_DRAIN, GPIOD_LINE_DRIVE_OPEN_SOURCE};
  struct gpiod_line_settings *settings = gpiod_line_settings_new();
  if (!settings) return -ENOMEM;
  gpiod_line_settings_set_bias(settings, biases[wish->bias & 3]);
  gpiod_line_settings_set_active_low(settings, wish->active_low);
  if (wish->output) {
    gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_OUTPUT);
    if (wish->drive <= GODWIT_GPIO_OPEN_SOURCE) gpiod_line_settings_set_drive(settings, drives[wish->drive]);
    gpiod_line_settings_set_output_value(settings, wish->value ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE);
  } else {
    gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_INPUT);
    gpiod_line_settings_set_edge_detection(settings, edges[wish->edges & 3]);
    gpiod_line_settings_set_debounce_period_us(settings, wish->debounce_microseconds);
  }
  unsigned int offset = wish->offset;
  int result = gpiod_line_config_add_line_settings(config, &offset, 1, settings) == 0 ? 0 : godwit_gpio_failure();
  gpiod_line_settings_free(settings);
  return result;
}

static inline int godwit_gpio_take(
    struct godwit_gpio_request *request, const char *consumer, const struct godwit_gpio_line_wish *wishes, uint32_t count) {
  struct gpiod_line_config *lines = gpiod_line_config_new();
  struct gpiod_request_config *config = gpiod_request_config_new();
  int result = lines && config ? 0 : -ENOMEM;
  for (uint32_t index = 0; result == 0 && index < count; index++) {
    result = godwit_gpio_configure(lines, &wishes[index]);
    request->offsets[index] = wishes[index].offset;
  }
  if (result == 0) {
    gpiod_request_config_set_consumer(config, consumer);
    gpiod_request_config_set_event_buffer_size(config, GODWIT_GPIO_SECOND_QUEUE);
    request->events = gpiod_edge_event_buffer_new(64);
    request->request = request->events ? gpiod_chip_request_lines(request->chip, config, lines) : 0;
    if (request->request) request->count = count; else result = godwit_gpio_failure();
  }
  if (lines) gpiod_line_config_free(lines);
  if (config) gpiod_request_config_free(config);
  return result;
}
#endif

// Takes lines of one chip, all or none.
static inline int godwit_gpio_request(
    const char *path, const char *consumer, const struct godwit_gpio_line_wish *wishes, uint32_t count,
    struct godwit_gpio_request **taken) {
  *taken = 0;
  if (count == 0 || count > GODWIT_GPIO_LINES) return -EINVAL;
  struct godwit_gpio_request *request = (struct godwit_gpio_request *)calloc(1, sizeof *request);
  if (!request) return -ENOMEM;
  int result = godwit_gpio_open(path, &request->chip);
  if (result == 0) {
    errno = 0;
    result = godwit_gpio_take(request, consumer, wishes, count);
  }
  if (result < 0) godwit_gpio_release(request); else *taken = request;
  return result;
}

// The descriptors that become readable with edges: one a line in the first interface, one in all in the second.
static inline uint32_t godwit_gpio_descriptors(const struct godwit_gpio_request *request) {
  return GODWIT_GPIO_FIRST_INTERFACE ? request->count : 1;
}

static inline int godwit_gpio_descriptor(struct godwit_gpio_request *request, uint32_t index) {
#if GODWIT_GPIO_FIRST_INTERFACE
  return gpiod_line_event_get_fd(request->lines[index]);
#else
  (void)index;
  return gpiod_line_request_get_fd(request->request);
#endif
}

// Reads edges of a descriptor that poll(2) found readable (it would block otherwise), at most 64; how many.
static inline int godwit_gpio_edges(struct godwit_gpio_request *request, uint32_t descriptor, struct godwit_gpio_edge *edges) {
  errno = 0;
#if GODWIT_GPIO_FIRST_INTERFACE
  struct gpiod_line_event events[GODWIT_GPIO_FIRST_QUEUE];
  int count = gpiod_line_event_read_multiple(request->lines[descriptor], events, GODWIT_GPIO_FIRST_QUEUE);
  if (count < 0) return godwit_gpio_failure();
  for (int index = 0; index < count; index++) {
    edges[index].nanoseconds = (int64_t)events[index].ts.tv_sec * 1000000000 + events[index].ts.tv_nsec;
    edges[index].index = descriptor;
    edges[index].sequence = 0;
    edges[index].rising = events[index].event_type == GPIOD_LINE_EVENT_RISING_EDGE;
  }
#else
  (void)descriptor;
  int count = gpiod_line_request_read_edge_events(request->request, request->events, 64);
  if (count < 0) return godwit_gpio_failure();
  for (int place = 0; place < count; place++) {
    struct gpiod_edge_event *event = gpiod_edge_event_buffer_get_event(request->events, (unsigned long)place);
    unsigned int offset = gpiod_edge_event_get_line_offset(event);
    uint32_t index = 0;
    while (index < request->count && request->offsets[index] != offset) index++;
    edges[place].nanoseconds = (int64_t)gpiod_edge_event_get_timestamp_ns(event);
    edges[place].index = index;
    edges[place].sequence = (uint32_t)gpiod_edge_event_get_line_seqno(event);
    edges[place].rising = gpiod_edge_event_get_event_type(event) == GPIOD_EDGE_EVENT_RISING_EDGE;
  }
#endif
  return count;
}

// The logical level of a held line: 0 or 1.
static inline int godwit_gpio_value(struct godwit_gpio_request *request, uint32_t index) {
  errno = 0;
#if GODWIT_GPIO_FIRST_INTERFACE
  int value = gpiod_line_get_value(request->lines[index]);
#else
  int value = (int)gpiod_line_request_get_value(request->request, request->offsets[index]);
#endif
  return value < 0 ? godwit_gpio_failure() : value;
}

// Sets the logical level of a held output.
static inline int godwit_gpio_set(struct godwit_gpio_request *request, uint32_t index, int value) {
  errno = 0;
#if GODWIT_GPIO_FIRST_INTERFACE
  int result = gpiod_line_set_value(request->lines[index], value != 0);
#else
  int result = gpiod_line_request_set_value(
      request->request, request->offsets[index], value ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE);
#endif
  return result < 0 ? godwit_gpio_failure() : 0;
}

#endif
