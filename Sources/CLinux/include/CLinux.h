// Linux calls that the Glibc module does not export: constants behind macros, and variadic calls.
#ifndef GODWIT_CLINUX_H
#define GODWIT_CLINUX_H

#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/un.h>

#include "CLinuxConfinement.h"
#include "CLinuxFiles.h"
#include "CLinuxI2C.h"
#include "CLinuxMachine.h"
#include "CLinuxNetwork.h"
#include "CLinuxNetlink.h"
#include "CLinuxNVMe.h"
#include "CLinuxProcesses.h"
#include "CLinuxTLS.h"
#include "CLinuxTrace.h"
#include "CLinuxWatchdog.h"

/// The kernel's clock discipline, read without setting anything. Returns the clock state (TIME_OK …) or -1.
int godwit_clock_state(int64_t *offset_nanoseconds, int *unsynchronized, int64_t *estimated_error_microseconds);

/// Names the calling thread (15 bytes are kept).
void godwit_thread_name(const char *name);

/// Has the calling thread never preempt another when it wakes up: SCHED_BATCH. What it starts inherits that.
void godwit_thread_batch(void);

/// Opens read-only, close-on-exec; returns the descriptor or -errno.
int godwit_open_read(const char *path);

/// accept4(2), close-on-exec and non-blocking; the descriptor or -errno.
int godwit_accept(int listener);

/// Keeps one arena and gives freed pages back sooner: the agent's threads allocate little.
void godwit_allocator_economy(void);

/// Returns freed heap pages to the kernel.
void godwit_allocator_trim(void);

/// statvfs(3): in Swift its function and its structure share one name.
struct godwit_usage_answer {
  uint64_t unit_bytes, total, free, available, inodes, free_inodes;
  int read_only;
};
int godwit_usage(const char *path, struct godwit_usage_answer *usage);

/// Unmaps the clean pages of programs and libraries that starting up had touched: those that are needed come back by themselves.
void godwit_release_code_pages(void);

/// Gives back the pages of the calling thread's stack that lie below its present frame: what its last work needed. Not for the main thread, whose
/// stack grows by itself.
void godwit_release_stack(void);

/// The kernel's device numbers, split as in <sys/sysmacros.h>.
unsigned godwit_device_major(uint64_t device);
unsigned godwit_device_minor(uint64_t device);

/// The terminal's width in columns, or 0 when the descriptor is no terminal.
int godwit_terminal_columns(int descriptor);

/// Its height in rows, or 0.
int godwit_terminal_rows(int descriptor);

/// One message to the firmware of a Raspberry Pi and its answer in place (the first word is its size in bytes); 0 or -errno.
int godwit_firmware_exchange(const char *path, uint32_t *message);

#endif
