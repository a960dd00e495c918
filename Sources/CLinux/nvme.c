#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>
#include <unistd.h>

int godwit_nvme_log_page(const char *path, uint8_t identifier, uint8_t *page) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  // Get Log Page (NVM Express Base Specification 2.0, 5.16): dword 10 has the identifier in bits 7:0 and the number of dwords less
  // one in bits 31:16; the namespace FFFFFFFFh means the controller.
  // No time-out of our own: past it the kernel resets the controller, with all that is written to the drive (nvme_timeout of
  // drivers/nvme/host/pci.c). The module's is a minute.
  struct nvme_admin_cmd command = {
      .opcode = 0x02,
      .nsid = 0xFFFFFFFF,
      .addr = (uint64_t)(uintptr_t)page,
      .data_len = 512,
      .cdw10 = identifier | (512 / 4 - 1) << 16,
  };
  int result = ioctl(descriptor, NVME_IOCTL_ADMIN_CMD, &command);
  if (result < 0) result = -errno;
  close(descriptor);
  return result;
}
