#ifndef GODWIT_FAULT_RECORD_H
#define GODWIT_FAULT_RECORD_H

#include <stdint.h>

enum { OP_WRITE, OP_TRUNCATE, OP_SYNC };
enum { FILE_DATABASE, FILE_LOG, FILE_JOURNAL, FILE_COUNT };

struct op {
  int file;
  int kind;
  int64_t offset; /* of a truncation: the new size */
  int count;
  unsigned char *bytes;
};

void record_clear(void);
void record_add(int file, int kind, int64_t offset, int count, const void *bytes);

#endif
