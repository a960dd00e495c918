#define _GNU_SOURCE
#include "CLinuxTrace.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int godwit_trace_open(uint64_t tracepoint, int cpu, int ring) {
  struct perf_event_attr attributes = {
      .type = PERF_TYPE_TRACEPOINT,
      .size = sizeof attributes,
      .config = tracepoint,
      .sample_period = 1,
      .sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_RAW,
      .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED,
      .use_clockid = 1,
      .clockid = CLOCK_MONOTONIC,
      // Nobody waits on the descriptor, so the kernel has nobody to wake.
      .watermark = 1,
      .wakeup_watermark = UINT32_MAX,
  };
  int descriptor = (int)syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  if (descriptor < 0) return -errno;
  if (ring < 0 || ioctl(descriptor, PERF_EVENT_IOC_SET_OUTPUT, ring) == 0) return descriptor;
  int result = -errno;
  close(descriptor);
  return result;
}

uint64_t godwit_trace_enabled(int descriptor) {
  // perf_event_open(2), "Reading results": the count, then the time.
  uint64_t values[2];
  return read(descriptor, values, sizeof values) == sizeof values ? values[1] : 0;
}

int godwit_trace_map(int descriptor, size_t bytes, void **map) {
  void *address = mmap(0, (size_t)sysconf(_SC_PAGESIZE) + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (address == MAP_FAILED) return -errno;
  *map = address;
  return 0;
}

void godwit_trace_unmap(void *map, size_t bytes) { munmap(map, (size_t)sysconf(_SC_PAGESIZE) + bytes); }

size_t godwit_trace_next(void *map, size_t bytes, uint8_t *record, size_t room) {
  struct perf_event_mmap_page *state = map;
  const uint8_t *ring = (const uint8_t *)map + sysconf(_SC_PAGESIZE);
  // perf_event_open(2): the records end at data_head, and what is before data_tail may be overwritten.
  uint64_t head = __atomic_load_n(&state->data_head, __ATOMIC_ACQUIRE);
  uint64_t tail = state->data_tail;
  if (tail == head) return 0;
  struct perf_event_header header;
  // Records are multiples of eight bytes, so that a header is never split by the ring's end.
  memcpy(&header, ring + (tail & (bytes - 1)), sizeof header);
  size_t size = header.size;
  if (size < sizeof header || size > head - tail) {
    __atomic_store_n(&state->data_tail, head, __ATOMIC_RELEASE);
    return 0;
  }
  size_t taken = size < room ? size : room;
  size_t start = tail & (bytes - 1);
  size_t first = taken < bytes - start ? taken : bytes - start;
  memcpy(record, ring + start, first);
  memcpy(record + first, ring, taken - first);
  __atomic_store_n(&state->data_tail, tail + size, __ATOMIC_RELEASE);
  return taken;
}
