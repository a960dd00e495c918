#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int godwit_clock_state(int64_t *offset_nanoseconds, int *unsynchronized, int64_t *estimated_error_microseconds) {
  struct timex state = {0};
  int result = adjtimex(&state);
  if (result < 0) return -1;
  *offset_nanoseconds = (state.status & STA_NANO) ? state.offset : state.offset * 1000;
  *unsynchronized = (state.status & STA_UNSYNC) != 0 || result == TIME_ERROR;
  *estimated_error_microseconds = state.esterror;
  return result;
}

void godwit_thread_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

void godwit_thread_batch(void) {
  struct sched_param none = {0};
  sched_setscheduler(0, SCHED_BATCH, &none);
}

int godwit_open_read(const char *path) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  return descriptor < 0 ? -errno : descriptor;
}

int godwit_accept(int listener) {
  int descriptor = accept4(listener, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
  return descriptor < 0 ? -errno : descriptor;
}

void godwit_allocator_economy(void) {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

void godwit_allocator_trim(void) { malloc_trim(0); }

/// Only segments that were never writable: they hold no relocations, so nothing in them differs from the file.
static int release_segments(struct dl_phdr_info *object, size_t size, void *page_bytes) {
  uintptr_t page = *(const uintptr_t *)page_bytes;
  (void)size;
  for (int index = 0; index < object->dlpi_phnum; index++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
    if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0) continue;
    uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
    uintptr_t end = object->dlpi_addr + segment->p_vaddr + segment->p_memsz;
    madvise((void *)start, end - start, MADV_DONTNEED);
  }
  return 0;
}

void godwit_release_code_pages(void) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  dl_iterate_phdr(release_segments, &page);
}

void godwit_release_stack(void) {
  pthread_attr_t attributes;
  void *lowest;
  size_t bytes;
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  // A page below this frame stays: a leaf's red zone, and what madvise itself needs.
  uintptr_t end = ((uintptr_t)__builtin_frame_address(0) & ~(page - 1)) - page;
  if (pthread_attr_getstack(&attributes, &lowest, &bytes) == 0 && end > (uintptr_t)lowest && end - (uintptr_t)lowest < bytes)
    madvise(lowest, end - (uintptr_t)lowest, MADV_DONTNEED);
  pthread_attr_destroy(&attributes);
}

int godwit_usage(const char *path, struct godwit_usage_answer *usage) {
  struct statvfs answer;
  int result;
  do result = statvfs(path, &answer);
  while (result != 0 && errno == EINTR);
  if (result != 0) return -errno;
  *usage = (struct godwit_usage_answer){answer.f_frsize, answer.f_blocks, answer.f_bfree, answer.f_bavail,
                                 answer.f_files,  answer.f_ffree,  (answer.f_flag & ST_RDONLY) != 0};
  return 0;
}

unsigned godwit_device_major(uint64_t device) { return major(device); }
unsigned godwit_device_minor(uint64_t device) { return minor(device); }

int godwit_terminal_columns(int descriptor) {
  struct winsize size;
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

int godwit_terminal_rows(int descriptor) {
  struct winsize size;
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_row;
}

int godwit_firmware_exchange(const char *path, uint32_t *message) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  // IOCTL_MBOX_PROPERTY of drivers/char/broadcom/vcio.c: the pointer's size is part of the number.
  int result = ioctl(descriptor, _IOWR(100, 0, char *), message) < 0 ? -errno : 0;
  close(descriptor);
  return result;
}
