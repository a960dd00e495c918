#include <sqlite3.h>

/* SQLite gives back pointers to these first members: their place in memory is C's to say. */
typedef struct { sqlite3_vtab base; void *table; } godwit_vtab;
typedef struct { sqlite3_vtab_cursor base; void *cursor; } godwit_vtab_cursor;
