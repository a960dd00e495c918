// Tracepoints of the kernel through perf_event_open(2): events go to a ring that the kernel takes away with its descriptors.
#ifndef GODWIT_CLINUX_TRACE_H
#define GODWIT_CLINUX_TRACE_H

#include <stddef.h>
#include <stdint.h>

/// Records a tracepoint on one processor, with the time of CLOCK_MONOTONIC and its raw fields; `ring` is the descriptor whose ring takes
/// the records, or -1 for one of its own. The descriptor or -errno.
int godwit_trace_open(uint64_t tracepoint, int cpu, int ring);

/// How long the kernel has recorded for a descriptor, nanoseconds; 0 where it does not tell.
uint64_t godwit_trace_enabled(int descriptor);

/// Maps the ring of a descriptor: one page of state and `bytes` of records, a power of two. 0 or -errno.
int godwit_trace_map(int descriptor, size_t bytes, void **map);
void godwit_trace_unmap(void *map, size_t bytes);

/// Takes the next record of the ring; what does not fit into `room` is cut. Bytes taken, 0 when there is none.
size_t godwit_trace_next(void *map, size_t bytes, uint8_t *record, size_t room);

#endif
