// Calls on devices whose requests are macros of the kernel's headers. Each returns 0 or -errno unless it says otherwise.
#ifndef GODWIT_CLINUX_WATCHDOG_H
#define GODWIT_CLINUX_WATCHDOG_H

#include <stdint.h>

/// Watchdogs: the kernel's Documentation/watchdog/watchdog-api.rst. `options` are WDIOF_ bits, `identity` has room for 33 bytes.
int godwit_watchdog_support(int descriptor, uint32_t *options, char *identity);
int godwit_watchdog_boot_status(int descriptor, int *status);
/// In: what is wanted; out: what the driver made of it.
int godwit_watchdog_set_timeout(int descriptor, int *seconds);
int godwit_watchdog_timeout(int descriptor, int *seconds);
int godwit_watchdog_keep_alive(int descriptor);

/// Opens for writing, close-on-exec and without becoming a terminal's process; the descriptor or -errno.
int godwit_open_write(const char *path);

#endif
