#include <zlib.h>

// Macros in zlib.h. Raw deflate: the block has its own lengths and checksums. Window and hash are small because a column is:
// 8 KiB and 2¹³ entries hold the state under 64 KiB (zconf.h: (1 << (windowBits + 2)) + (1 << (memLevel + 9))).
static inline int godwit_deflate_init(z_stream *stream, int level, int strategy) {
  return deflateInit2(stream, level, Z_DEFLATED, -13, 6, strategy);
}

static inline int godwit_inflate_init(z_stream *stream) { return inflateInit2(stream, -13); }

// A file of gzip, RFC 1952: whatever window its maker chose.
static inline int godwit_gunzip_init(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
