// The ioctls of /dev/i2c-N (Documentation/i2c/dev-interface.rst): variadic, and over structures of pointers.
#ifndef GODWIT_CLINUX_I2C_H
#define GODWIT_CLINUX_I2C_H

#include <stdint.h>

/// What an adapter can do, from I2C_FUNCS.
struct godwit_i2c_functions {
  int i2c, quick, byte, read_byte_data, write_byte_data, read_word_data, write_word_data, read_block, write_block;
};

/// Opens an adapter, close-on-exec, and asks what it can do; the descriptor or -errno.
int godwit_i2c_open(const char *path, struct godwit_i2c_functions *functions);

/// Bounds what a stuck transfer costs: the adapter's time-out, and how often it repeats a lost arbitration. Both are the
/// adapter's own, for all its users. 0 or -errno.
int godwit_i2c_bound(int descriptor, int timeout_milliseconds, int retries);

/// I2C_SLAVE: the address of the SMBus calls. -EBUSY when a kernel driver has it; 0 or -errno.
int godwit_i2c_address(int descriptor, uint8_t address);

/// A part of a transfer; `read` bytes are put into `bytes`, or `count` bytes are sent from it.
struct godwit_i2c_message {
  int read;
  uint16_t count;
  uint8_t *bytes;
};

/// I2C_RDWR with at most 42 messages; 0 or -errno.
int godwit_i2c_transfer(int descriptor, uint8_t address, const struct godwit_i2c_message *messages, int count);

/// I2C_SMBUS, to the address of I2C_SLAVE. `read` is the direction, `bytes` has room for `count` ≤ 32. Counts: -1 quick, 0 one byte
/// without a command (`command` itself, or the first of `bytes`), 1 byte data, 2 word data, else or with `block` an I2C block. 0 or -errno.
int godwit_i2c_smbus(int descriptor, int read, uint8_t command, int count, int block, uint8_t *bytes);

#endif
