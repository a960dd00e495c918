#include "CLinuxI2C.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int answer(int result) { return result < 0 ? -errno : 0; }

int godwit_i2c_open(const char *path, struct godwit_i2c_functions *functions) {
  unsigned long bits = 0;
  int descriptor = open(path, O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  if (ioctl(descriptor, I2C_FUNCS, &bits) < 0) {
    int code = errno;
    close(descriptor);
    return -code;
  }
  *functions = (struct godwit_i2c_functions){
      .i2c = (bits & I2C_FUNC_I2C) != 0,
      .quick = (bits & I2C_FUNC_SMBUS_QUICK) != 0,
      .byte = (bits & I2C_FUNC_SMBUS_BYTE) == I2C_FUNC_SMBUS_BYTE,
      .read_byte_data = (bits & I2C_FUNC_SMBUS_READ_BYTE_DATA) != 0,
      .write_byte_data = (bits & I2C_FUNC_SMBUS_WRITE_BYTE_DATA) != 0,
      .read_word_data = (bits & I2C_FUNC_SMBUS_READ_WORD_DATA) != 0,
      .write_word_data = (bits & I2C_FUNC_SMBUS_WRITE_WORD_DATA) != 0,
      .read_block = (bits & I2C_FUNC_SMBUS_READ_I2C_BLOCK) != 0,
      .write_block = (bits & I2C_FUNC_SMBUS_WRITE_I2C_BLOCK) != 0,
  };
  return descriptor;
}

int godwit_i2c_bound(int descriptor, int timeout_milliseconds, int retries) {
  // The unit of I2C_TIMEOUT is 10 ms.
  int result = answer(ioctl(descriptor, I2C_TIMEOUT, (unsigned long)(timeout_milliseconds + 9) / 10));
  return result < 0 ? result : answer(ioctl(descriptor, I2C_RETRIES, (unsigned long)retries));
}

int godwit_i2c_address(int descriptor, uint8_t address) { return answer(ioctl(descriptor, I2C_SLAVE, (unsigned long)address)); }

int godwit_i2c_transfer(int descriptor, uint8_t address, const struct godwit_i2c_message *messages, int count) {
  struct i2c_msg parts[I2C_RDWR_IOCTL_MAX_MSGS];
  if (count < 1 || count > I2C_RDWR_IOCTL_MAX_MSGS) return -EINVAL;
  for (int index = 0; index < count; index++) {
    parts[index] = (struct i2c_msg){.addr = address,
                                    .flags = messages[index].read ? I2C_M_RD : 0,
                                    .len = messages[index].count,
                                    .buf = messages[index].bytes};
  }
  struct i2c_rdwr_ioctl_data data = {.msgs = parts, .nmsgs = (uint32_t)count};
  return answer(ioctl(descriptor, I2C_RDWR, &data));
}

int godwit_i2c_smbus(int descriptor, int read, uint8_t command, int count, int block, uint8_t *bytes) {
  union i2c_smbus_data data;
  memset(&data, 0, sizeof data);
  if (count > I2C_SMBUS_BLOCK_MAX) return -EINVAL;
  struct i2c_smbus_ioctl_data call = {.read_write = read ? I2C_SMBUS_READ : I2C_SMBUS_WRITE, .command = command, .data = &data};
  if (count < 0) {
    call.size = I2C_SMBUS_QUICK;
    call.data = 0;
  } else if (count == 0) {
    call.size = I2C_SMBUS_BYTE;
  } else if (block) {
    call.size = I2C_SMBUS_I2C_BLOCK_DATA;
    data.block[0] = (uint8_t)count;
    if (!read) memcpy(data.block + 1, bytes, (size_t)count);
  } else if (count == 1) {
    call.size = I2C_SMBUS_BYTE_DATA;
    if (!read) data.byte = bytes[0];
  } else {
    call.size = I2C_SMBUS_WORD_DATA;
    if (!read) data.word = (uint16_t)(bytes[0] | bytes[1] << 8);
  }
  int result = answer(ioctl(descriptor, I2C_SMBUS, &call));
  if (result < 0 || !read || count < 0) return result;
  if (call.size == I2C_SMBUS_WORD_DATA) {
    bytes[0] = (uint8_t)data.word;
    bytes[1] = (uint8_t)(data.word >> 8);
  } else if (call.size == I2C_SMBUS_I2C_BLOCK_DATA) {
    // The adapter may have read fewer.
    if (data.block[0] != count) return -EPROTO;
    memcpy(bytes, data.block + 1, (size_t)count);
  } else {
    bytes[0] = data.byte;
  }
  return result;
}
