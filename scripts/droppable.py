#!/usr/bin/env python3
"""Lets the linker drop what nobody calls of Swift's standard library: droppable.py ARCHIVE MEMBER OUTPUT

A Swift library marks all its public functions as used (SHF_GNU_RETAIN), so a static program carries each of them. This copies the archive and takes
the mark off the sections of code of one member; the tables that the runtime looks through (swift5_*) keep theirs. ELF: System V gABI, chapter 4.
"""
import struct
import sys

RETAIN = 0x200000  # SHF_GNU_RETAIN
HEADER = 60  # bytes of a member's head in an archive


def droppable(code):
    """The object file `code` (a bytearray, ELF64, little-endian) with the mark taken off; the number of sections."""
    if code[:6] != b"\x7fELF\x02\x01":
        raise SystemExit("droppable: no 64-bit little-endian ELF file")
    table = struct.unpack_from("<Q", code, 0x28)[0]
    size, count, names = struct.unpack_from("<HHH", code, 0x3A)
    # Files of more than 65,279 sections keep both numbers in the first section's head.
    if count == 0:
        count = struct.unpack_from("<Q", code, table + 0x20)[0]
    if names == 0xFFFF:
        names = struct.unpack_from("<I", code, table + 0x28)[0]
    texts = struct.unpack_from("<Q", code, table + names * size + 0x18)[0]
    changed = 0
    for head in range(table, table + count * size, size):
        name, _, flags = struct.unpack_from("<IIQ", code, head)
        if flags & RETAIN and code.startswith(b".text.", texts + name):
            struct.pack_into("<Q", code, head + 8, flags & ~RETAIN)
            changed += 1
    return changed


def main():
    archive, member, output = sys.argv[1:]
    data = bytearray(open(archive, "rb").read())
    at = 8  # after "!<arch>\n"
    while at < len(data):
        name = data[at : at + 16].decode().strip().rstrip("/")
        size = int(data[at + 48 : at + 58])
        start = at + HEADER
        if name == member:
            code = data[start : start + size]
            changed = droppable(code)
            data[start : start + size] = code
            open(output, "wb").write(data)
            print(f"droppable: {changed} functions of {member}")
            return
        at = start + size + size % 2
    raise SystemExit(f"droppable: no {member} in {archive}")


main()
