#define _GNU_SOURCE
#include "CLinuxFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/// 0 when `count` bytes were moved as wanted, or -errno.
static int moved(ssize_t count, unsigned bytes) {
  if (count < 0) return -errno;
  return (size_t)count == bytes ? 0 : -EIO;
}

static int read_block(int descriptor, void *block, unsigned bytes, uint64_t place, int64_t *nanoseconds) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return -errno;
  if (!S_ISBLK(status.st_mode) && !S_ISREG(status.st_mode)) return -EINVAL;
  off_t end = lseek(descriptor, 0, SEEK_END);
  if (end < 0) return -errno;
  uint64_t blocks = (uint64_t)end / bytes;
  if (blocks == 0) return -ENODATA;
  off_t offset = (off_t)(place % blocks * bytes);
  int64_t begun = now();
  int result = moved(pread(descriptor, block, bytes, offset), bytes);
  *nanoseconds = now() - begun;
  return result;
}

int godwit_timed_read(const char *path, unsigned bytes, uint64_t place, int64_t *nanoseconds) {
  void *block = 0;
  int descriptor = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (descriptor < 0) return -errno;
  // O_DIRECT wants memory as aligned as the device's blocks.
  int result = -posix_memalign(&block, 65536, bytes);
  if (result == 0) result = read_block(descriptor, block, bytes, place, nanoseconds);
  free(block);
  close(descriptor);
  return result;
}

int godwit_timed_write(const char *path, unsigned bytes, int64_t *nanoseconds) {
  uint8_t *block = malloc(bytes);
  if (!block) return -ENOMEM;
  memset(block, 0x5A, bytes);
  // What a killed agent left behind; and no link of another's making is followed.
  unlink(path);
  int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  int result = descriptor < 0 ? -errno : 0;
  if (result == 0) {
    int64_t begun = now();
    result = moved(write(descriptor, block, bytes), bytes);
    if (result == 0 && fsync(descriptor) != 0) result = -errno;
    *nanoseconds = now() - begun;
    close(descriptor);
    unlink(path);
  }
  free(block);
  return result;
}
