// What happens to files, and how long storage takes.
#ifndef GODWIT_CLINUX_FILES_H
#define GODWIT_CLINUX_FILES_H

#include <stdint.h>
#include <sys/inotify.h>

/// Reads one block of `bytes` (a power of two, at most 64 KiB) past the page cache (O_DIRECT) from a block device or a file, at the place that
/// `place` chooses. Returns 0 and how long the read took, or -errno: -EINVAL where there is no O_DIRECT, -ENODATA for less than a block.
int godwit_timed_read(const char *path, unsigned bytes, uint64_t place, int64_t *nanoseconds);

/// Writes a new file of `bytes` at `path`, makes it durable by fsync(2) and removes it; what is there before is removed too. Returns 0 and how
/// long the write and the fsync took, or -errno.
int godwit_timed_write(const char *path, unsigned bytes, int64_t *nanoseconds);

#endif
