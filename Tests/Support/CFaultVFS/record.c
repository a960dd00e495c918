/* What was recorded, and the files that a power cut could leave of it. */
#include "record.h"
#include "CFaultVFS.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECTOR = 512 };

struct image {
  unsigned char *bytes;
  int64_t size, capacity;
};

static struct op *ops;
static long op_count, op_capacity;
/* What is surely on the disk after so many calls. */
static struct image durable[FILE_COUNT];
static long durable_calls[FILE_COUNT];

static void must(const void *memory) {
  if (!memory) abort();
}

static void image_resize(struct image *image, int64_t size) {
  if (size > image->capacity) {
    image->capacity = size * 2;
    image->bytes = realloc(image->bytes, (size_t)image->capacity);
    must(image->bytes);
  }
  if (size > image->size) memset(image->bytes + image->size, 0, (size_t)(size - image->size));
  image->size = size;
}

static void forget_images(void) {
  for (int file = 0; file < FILE_COUNT; file++) {
    durable[file].size = 0;
    durable_calls[file] = 0;
  }
}

void record_clear(void) {
  for (long i = 0; i < op_count; i++) free(ops[i].bytes);
  op_count = 0;
  forget_images();
}

void record_add(int file, int kind, int64_t offset, int count, const void *bytes) {
  if (op_count == op_capacity) {
    op_capacity = op_capacity ? op_capacity * 2 : 1024;
    ops = realloc(ops, (size_t)op_capacity * sizeof *ops);
    must(ops);
  }
  struct op op = {file, kind, offset, count, NULL};
  if (count > 0) {
    op.bytes = malloc((size_t)count);
    must(op.bytes);
    memcpy(op.bytes, bytes, (size_t)count);
  }
  ops[op_count++] = op;
}

long fault_recorded(void) { return op_count; }

static void apply_part(struct image *image, const struct op *op, int from, int to) {
  if (op->offset + to > image->size) image_resize(image, op->offset + to);
  memcpy(image->bytes + op->offset + from, op->bytes + from, (size_t)(to - from));
}

static void apply(struct image *image, const struct op *op) {
  if (op->kind == OP_WRITE) apply_part(image, op, 0, op->count);
  if (op->kind == OP_TRUNCATE) image_resize(image, op->offset);
}

/* SplitMix64. */
static uint64_t draw(uint64_t *state) {
  uint64_t mixed = *state += 0x9E3779B97F4A7C15u;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
  return mixed ^ (mixed >> 31);
}

/* Sectors of a write reach the disk in any order: a beginning of it, or any of them. */
static void apply_torn(struct image *image, const struct op *op, uint64_t *random) {
  int is_prefix = draw(random) & 1;
  int end = (int)(draw(random) % (uint64_t)(op->count + 1));
  for (int from = 0; from < op->count;) {
    int to = from + SECTOR - (int)((op->offset + from) % SECTOR);
    if (to > op->count) to = op->count;
    if (is_prefix ? to <= end : draw(random) & 1) apply_part(image, op, from, to);
    from = to;
  }
}

/* A call that no sync followed. */
static void apply_unsynced(struct image *image, const struct op *op, uint64_t *random) {
  uint64_t fate = draw(random) % 8;
  if (op->kind == OP_TRUNCATE) {
    if (fate < 4) apply(image, op);
    return;
  }
  if (fate < 3) {
    apply(image, op);
  } else if (fate < 5) {
    apply_torn(image, op, random);
  } else if (fate == 5 && op->offset >= image->size) {
    image_resize(image, op->offset + op->count);
  }
}

static long last_sync(int file, long point) {
  for (long i = point; i > 0; i--)
    if (ops[i - 1].file == file && ops[i - 1].kind == OP_SYNC) return i;
  return 0;
}

static int store(const struct image *image, const char *target, const char *suffix) {
  char path[4096];
  snprintf(path, sizeof path, "%s%s", target, suffix);
  if (image->size == 0) return unlink(path) == 0 || errno == ENOENT ? 0 : errno;
  FILE *file = fopen(path, "wb");
  if (!file) return errno;
  size_t written = fwrite(image->bytes, 1, (size_t)image->size, file);
  if (fclose(file) != 0 || written != (size_t)image->size) return EIO;
  return 0;
}

int fault_build(long point, uint64_t seed, const char *target) {
  static struct image built;
  static const char *const suffixes[FILE_COUNT] = {"", "-wal", "-journal"};
  uint64_t random = seed;
  if (point > op_count) return EINVAL;
  /* A killed process leaves all that it wrote; a power cut nothing of what was not synced, or some of it. */
  uint64_t mode = draw(&random) % 8;
  for (int file = 0; file < FILE_COUNT; file++) {
    long synced = last_sync(file, point);
    if (synced < durable_calls[file]) forget_images();
    for (long i = durable_calls[file]; i < synced; i++)
      if (ops[i].file == file) apply(&durable[file], &ops[i]);
    durable_calls[file] = synced;
    built.size = 0;
    image_resize(&built, durable[file].size);
    if (built.size > 0) memcpy(built.bytes, durable[file].bytes, (size_t)built.size);
    for (long i = synced; i < point && mode != 1; i++) {
      if (ops[i].file != file || ops[i].kind == OP_SYNC) continue;
      if (mode == 0 && i + 1 < point) apply(&built, &ops[i]);
      else apply_unsynced(&built, &ops[i], &random);
    }
    int failure = store(&built, target, suffixes[file]);
    if (failure) return failure;
  }
  return 0;
}
