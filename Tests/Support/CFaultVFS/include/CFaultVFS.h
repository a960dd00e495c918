/* A SQLite VFS for tests, before the default one: of one database, its log and its journal it records every write, truncation and sync, builds the
   files that a power cut after any of them could leave, and lets a chosen call fail. Everything else passes through.
   One database at a time, used by one thread. */
#ifndef GODWIT_FAULT_VFS_H
#define GODWIT_FAULT_VFS_H

#include <stdint.h>

/* How a call fails. */
enum {
  FAULT_EIO = 0,
  FAULT_ENOSPC = 1, /* writes find no space, other calls an I/O error */
  FAULT_SHORT = 2   /* half of a write or read is done, then an I/O error */
};

/* Begins to watch the database at `path` (with its log and journal): forgets what was recorded before. NULL ends it. Returns 0 or a SQLite code. */
int fault_watch(const char *path);

/* Calls recorded so far: writes, truncations, syncs, deletions. */
long fault_recorded(void);

/* Lets the n-th read, write, truncation or sync from now fail, and `lasting` all after it as well; 0 lets none fail. */
void fault_fail(long n, int kind, int lasting);

/* Calls that could have failed since fault_fail, and those that did. */
long fault_counted(void);
long fault_failed(void);

/* Writes `target`, `target`-wal and `target`-journal as a power cut after `point` recorded calls could leave them: all that was synced; of the rest each
   write there, absent, torn at sectors, or as zeros where it made the file longer. Without bytes there is no file. Ascending points
   are quickest. 0 or errno. */
int fault_build(long point, uint64_t seed, const char *target);

#endif
