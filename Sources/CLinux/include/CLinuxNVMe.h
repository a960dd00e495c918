// NVMe drives: admin commands that <linux/nvme_ioctl.h> passes through.
#ifndef GODWIT_CLINUX_NVME_H
#define GODWIT_CLINUX_NVME_H

#include <stdint.h>

/// Reads the first 512 bytes of a log page of the whole drive. `path` is the controller's node or a namespace's. Returns 0, -errno, or the
/// status of the drive, which is positive.
int godwit_nvme_log_page(const char *path, uint8_t identifier, uint8_t *page);

#endif
