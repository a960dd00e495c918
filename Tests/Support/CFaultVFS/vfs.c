/* The VFS: sqlite.org/vfs.html, "VFS shims". */
#include "CFaultVFS.h"
#include "record.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

struct fault_file {
  sqlite3_file base;
  int file;
  sqlite3_file *real; /* lies behind this struct */
};

static sqlite3_vfs *parent;
static sqlite3_vfs vfs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char watched[4096];
static int deleted = -1;
static long counted, failed, fail_at;
static int fail_kind, fail_lasting;

static sqlite3_file *real(sqlite3_file *file) { return ((struct fault_file *)file)->real; }
static int which(sqlite3_file *file) { return ((struct fault_file *)file)->file; }

/* Which of the watched files a name is; -1 for others. */
static int find(const char *name) {
  int found = -1;
  if (!name) return -1;
  pthread_mutex_lock(&lock);
  size_t length = strlen(watched);
  if (length > 0 && strncmp(name, watched, length) == 0) {
    if (!name[length]) found = FILE_DATABASE;
    if (strcmp(name + length, "-wal") == 0) found = FILE_LOG;
    if (strcmp(name + length, "-journal") == 0) found = FILE_JOURNAL;
  }
  pthread_mutex_unlock(&lock);
  return found;
}

/* Whether the call that begins now has to fail. */
static int fails(void) {
  counted++;
  if (fail_at == 0 || (fail_lasting ? counted < fail_at : counted != fail_at)) return 0;
  failed++;
  return 1;
}

static int file_close(sqlite3_file *file) { return real(file)->pMethods->xClose(real(file)); }

static int file_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
  if (fails()) {
    if (fail_kind == FAULT_SHORT) real(file)->pMethods->xRead(real(file), bytes, count / 2, offset);
    return SQLITE_IOERR_READ;
  }
  return real(file)->pMethods->xRead(real(file), bytes, count, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
  if (fails()) {
    if (fail_kind == FAULT_SHORT) real(file)->pMethods->xWrite(real(file), bytes, count / 2, offset);
    return fail_kind == FAULT_ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  }
  record_add(which(file), OP_WRITE, offset, count, bytes);
  return real(file)->pMethods->xWrite(real(file), bytes, count, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
  if (fails()) return SQLITE_IOERR_TRUNCATE;
  record_add(which(file), OP_TRUNCATE, size, 0, NULL);
  return real(file)->pMethods->xTruncate(real(file), size);
}

/* A deletion lasts once the directory is synced: SQLite does so with the first sync of a new file, which the log is after the journal. */
static void settle_deletion(void) {
  if (deleted >= 0) record_add(deleted, OP_SYNC, 0, 0, NULL);
  deleted = -1;
}

static int file_sync(sqlite3_file *file, int flags) {
  if (fails()) return SQLITE_IOERR_FSYNC;
  (void)flags; /* the tests need no real disk */
  settle_deletion();
  record_add(which(file), OP_SYNC, 0, 0, NULL);
  return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) { return real(file)->pMethods->xFileSize(real(file), size); }
static int file_lock(sqlite3_file *file, int level) { return real(file)->pMethods->xLock(real(file), level); }
static int file_unlock(sqlite3_file *file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
static int file_reserved(sqlite3_file *file, int *out) { return real(file)->pMethods->xCheckReservedLock(real(file), out); }
static int file_control(sqlite3_file *file, int op, void *arg) { return real(file)->pMethods->xFileControl(real(file), op, arg); }
static int file_sector(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }
static int file_device(sqlite3_file *file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }
static int file_map(sqlite3_file *file, int page, int size, int extend, void volatile **out) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}
static int file_shm_lock(sqlite3_file *file, int offset, int n, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}
static void file_barrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }
static int file_unmap(sqlite3_file *file, int delete) { return real(file)->pMethods->xShmUnmap(real(file), delete); }

/* Version 2: the log's index is shared as usual, memory-mapped reading is not offered. */
static const sqlite3_io_methods methods = {
    2,            file_close, file_read,     file_write,    file_truncate, file_sync,    file_size,
    file_lock,    file_unlock, file_reserved, file_control,  file_sector,   file_device,  file_map,
    file_shm_lock, file_barrier, file_unmap, NULL,          NULL};

static int vfs_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out) {
  (void)self;
  int kind = find(name);
  if (kind < 0) return parent->xOpen(parent, name, file, flags, out);
  struct fault_file *mine = (struct fault_file *)file;
  memset(mine, 0, sizeof *mine);
  mine->file = kind;
  mine->real = (sqlite3_file *)(mine + 1);
  int code = parent->xOpen(parent, name, mine->real, flags, out);
  if (code == SQLITE_OK) mine->base.pMethods = &methods;
  return code;
}

static int vfs_delete(sqlite3_vfs *self, const char *name, int sync) {
  (void)self;
  int kind = find(name);
  if (kind >= 0) {
    record_add(kind, OP_TRUNCATE, 0, 0, NULL);
    deleted = kind;
    if (sync) settle_deletion();
  }
  return parent->xDelete(parent, name, sync);
}

int fault_watch(const char *path) {
  if (!parent) {
    parent = sqlite3_vfs_find(NULL);
    if (!parent) return SQLITE_ERROR;
    vfs = *parent;
    vfs.zName = "godwit-faults";
    vfs.szOsFile = (int)sizeof(struct fault_file) + parent->szOsFile;
    vfs.pNext = NULL;
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    int code = sqlite3_vfs_register(&vfs, 1);
    if (code != SQLITE_OK) return code;
  }
  pthread_mutex_lock(&lock);
  snprintf(watched, sizeof watched, "%s", path ? path : "");
  pthread_mutex_unlock(&lock);
  fault_fail(0, 0, 0);
  deleted = -1;
  record_clear();
  return SQLITE_OK;
}

void fault_fail(long n, int kind, int lasting) {
  counted = failed = 0;
  fail_at = n;
  fail_kind = kind;
  fail_lasting = lasting;
}

long fault_counted(void) { return counted; }
long fault_failed(void) { return failed; }
