"""Decodes the payload `packed` as docs/packed.md describes it. Standard library only.

    packed.py --catalogue chunk.json [chunk.json ...] --messages file [--bits]

`file` holds messages one after another, each behind its length (four bytes, little-endian). Prints one line of JSON a tick; with --bits
values are the sixteen hexadecimal digits of their IEEE 754 bits, else numbers. A message that cannot be read becomes a line
{"fault": "..."}, and the next is read.
"""

import argparse
import json
import struct
import sys
import uuid
import zlib

MISSING = None
MOST_VALUES = 1 << 20


class Fault(Exception):
    """A message that cannot be read, and why."""


class Bytes:
    """Reads numbers from a message, never past its end."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Fault("damaged")
        self.at += count
        return self.data[self.at - count:self.at]

    def left(self):
        return len(self.data) - self.at

    def byte(self):
        return self.take(1)[0]

    def fixed(self):
        return struct.unpack("<I", self.take(4))[0]

    def bits(self):
        return struct.unpack("<Q", self.take(8))[0]

    def varint(self):
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >> 64:
                    raise Fault("damaged")
                return value
        raise Fault("damaged")

    def zigzag(self):
        return unzigzag(self.varint())

    def boot(self):
        length = self.byte()
        return self.take(length).decode("utf-8") if length else str(uuid.UUID(bytes=self.take(16)))


def unzigzag(value):
    return -((value + 1) >> 1) if value & 1 else value >> 1


def signed(value):
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def bits_of(scaled, decimals):
    return struct.unpack("<Q", struct.pack("<d", float(scaled) / float(10**decimals)))[0]


class Field:
    """Fields of bits, the lowest first."""

    def __init__(self, data):
        self.number, self.size, self.at = int.from_bytes(data, "little"), 8 * len(data), 0

    def take(self, width):
        if self.at + width > self.size:
            raise Fault("damaged")
        value = self.number >> self.at & ((1 << width) - 1)
        self.at += width
        return value


# Blocks


def read_integers(data, count, mode):
    order, packing = mode & 3, mode >> 2 & 3
    if order == 3 or packing == 3:
        raise Fault("damaged")
    base = data.zigzag()
    slope = data.zigzag() if order == 2 else 0
    residuals = []
    if packing == 0:
        residuals = [data.zigzag()] * count
    elif packing == 2:
        residuals = [data.zigzag() for _ in range(count)]
    else:
        while len(residuals) < count:
            some = min(64, count - len(residuals))
            least, width = data.zigzag(), data.byte()
            if width > 64:
                raise Fault("damaged")
            field = Field(data.take((some * width + 7) // 8))
            residuals += [least + field.take(width) for _ in range(some)]
    numbers, before = [], base
    for residual in residuals:
        if order == 0:
            numbers.append(signed(base + residual))
            continue
        if order == 2:
            slope = signed(slope + residual)
            residual = slope
        before = signed(before + residual)
        numbers.append(before)
    return numbers


def read_values(data, count, decimals):
    mode = data.byte()
    if mode == 0x20:
        return read_xor(data, count)
    if mode & 0xE0:
        raise Fault("damaged")
    exceptions, place = {}, 0
    if mode & 0x10:
        for _ in range(data.varint()):
            place += data.varint()
            exceptions[place] = data.bits()
            place += 1
        if place > count:
            raise Fault("damaged")
    values = [bits_of(number, decimals) for number in read_integers(data, count, mode & 0x0F)]
    for place, bits in exceptions.items():
        values[place] = bits
    return values


def read_xor(data, count):
    value = data.bits()
    values, field = [value], Field(data.data[data.at:])
    leading = width = 0
    for _ in range(count - 1):
        if field.take(1):
            if field.take(1):
                leading, width = field.take(6), field.take(6) + 1
            if width == 0 or leading + width > 64:
                raise Fault("damaged")
            value ^= field.take(width) << (64 - leading - width)
        values.append(value)
    data.take((field.at + 7) // 8)
    return values


def read_column(data, rows, present, decimals):
    data = Bytes(data)
    runs = [rows]
    if present < rows:
        runs = [data.varint() for _ in range(data.varint())]
        if sum(runs) != rows or sum(runs[::2]) != present:
            raise Fault("damaged")
    values = read_values(data, present, decimals)
    if data.left():
        raise Fault("damaged")
    column, taken = [], 0
    for index, run in enumerate(runs):
        if index % 2 == 0:
            column += values[taken:taken + run]
            taken += run
        else:
            column += [MISSING] * run
    return column


def skip_number(data):
    token = data.varint()
    if token == 1:
        data.bits()
    elif token & 1:
        raise Fault("damaged")


def read_block(block):
    """Sequence numbers, epochs, milliseconds, and the columns by series."""
    if len(block) < 28 or zlib.crc32(block[:24]) != struct.unpack_from("<I", block, 24)[0]:
        raise Fault("damaged")
    if block[0] != 1:
        raise Fault(f"unknown version {block[0]} of a block")
    columns, rows, size, length, check = struct.unpack_from("<5I", block, 4)
    data = block[28:28 + size]
    if block[1] != 0 or length != len(block) or len(data) != size or zlib.crc32(data) != check:
        raise Fault("damaged")
    if not 0 < rows <= 1 << 16 or columns > size:
        raise Fault("damaged")
    data = Bytes(data)
    times = [read_integers(data, rows, data.byte()) for _ in range(3)]
    found, series, at = {}, -1, 28 + size
    for _ in range(columns):
        series += data.varint() + 1
        if rows * (series + 1) > MOST_VALUES:
            raise Fault("too large")
        flags = data.byte()
        stored = data.varint()
        inflated = data.varint() if flags & 0x10 else None
        missing = data.varint()
        if flags & 0xE0 or flags & 0x0F > 9 or missing > rows:
            raise Fault("damaged")
        if missing < rows:
            for _ in range(3):
                skip_number(data)
        column = block[at:at + stored]
        at += stored
        if zlib.crc32(column) != data.fixed():
            raise Fault("damaged")
        if inflated is not None:
            if inflated > 256 + 64 * rows:
                raise Fault("damaged")
            inflater = zlib.decompressobj(-15)
            column = inflater.decompress(column, inflated)
            if len(column) != inflated:
                raise Fault("damaged")
        found[series] = read_column(column, rows, rows - missing, flags & 0x0F) if missing < rows else [MISSING] * rows
    if data.left() or at != length:
        raise Fault("damaged")
    return times[0], times[1], times[2], found


# Messages


class Catalogue:
    """The series in order of their ids, and the CRC of the first n for every n."""

    def __init__(self, chunks):
        self.series, self.checks = [], [0]
        for chunk in sorted((chunk for chunk in chunks if chunk["series"]), key=lambda chunk: chunk["series"][0]["id"]):
            for one in chunk["series"]:
                if one["id"] != len(self.series):
                    raise Fault("the catalogue has a hole")
                self.series.append(one)
                text = one["key"].encode("utf-8") + bytes([0, one["decimals"]])
                self.checks.append(zlib.crc32(text, self.checks[-1]))
            head = chunk["catalogue"]
            if head["count"] != len(self.series) or head["crc"] != self.checks[-1]:
                raise Fault("the catalogue is not of one piece")

    def expect(self, count, check):
        if count >= len(self.checks) or self.checks[count] != check:
            raise Fault(f"wrong catalogue: {count} series")


class Reader:
    """Reads the messages of one node."""

    def __init__(self, catalogue):
        self.catalogue, self.base = catalogue, None

    def read(self, message):
        """Ticks as (sequence, boot, wall milliseconds, synced, {series id: bits})."""
        if not message or message[0] & 0xF0 != 0xB0:
            raise Fault("not packed")
        if message[0] != 0xB1:
            raise Fault(f"unknown version {message[0] & 15}")
        if len(message) < 6 or zlib.crc32(message[:-4]) != struct.unpack("<I", message[-4:])[0]:
            raise Fault("damaged")
        data, check = Bytes(message[2:-4]), struct.unpack("<I", message[-4:])[0]
        synced = bool(message[1] & 0x10)
        if message[1] & 0xEF == 1:
            return [self.key(data, synced, check)]
        if message[1] & 0xEF == 2:
            return [self.delta(data, synced, check)]
        if message[1] == 3:
            return self.block(data)
        raise Fault("damaged")

    def key(self, data, synced, check):
        sequence, wall, boot = data.varint(), data.zigzag(), data.boot()
        count, crc = data.varint(), data.fixed()
        self.catalogue.expect(count, crc)
        return self.live(data, sequence, wall, boot, synced, check, [MISSING] * count, [0] * count)

    def delta(self, data, synced, check):
        sequence = data.varint()
        before, base_check, wall = sequence - data.varint(), data.fixed(), data.zigzag()
        if self.base is None or self.base[:2] != (before, base_check):
            raise Fault(f"missing base {before}")
        _, _, base_wall, boot, values, scaled = self.base
        return self.live(data, sequence, signed(base_wall + wall), boot, synced, check, list(values), list(scaled))

    def live(self, data, sequence, wall, boot, synced, check, values, scaled):
        bitmap = data.take((len(values) + 7) // 8)
        for index in range(len(values)):
            if not bitmap[index // 8] >> index % 8 & 1:
                continue
            token = data.varint()
            if token == 0:
                values[index] = data.bits()
            elif token == 1:
                values[index] = MISSING
            else:
                scaled[index] += unzigzag(token - 2)
                values[index] = bits_of(scaled[index], self.catalogue.series[index]["decimals"])
        if data.left():
            raise Fault("damaged")
        self.base = (sequence, check, wall, boot, values, scaled)
        return sequence, boot, wall, synced, {index: bits for index, bits in enumerate(values) if bits is not MISSING}

    def block(self, data):
        first = data.varint()
        last = first + data.varint()
        data.varint()  # values that were stored and cannot be read
        self.catalogue.expect(data.varint(), data.fixed())
        boots = [data.boot() for _ in range(data.varint())]
        epochs, epoch = {}, 0
        for _ in range(data.varint()):
            epoch += data.varint()
            epochs[epoch] = (boots[data.varint()], data.zigzag(), data.byte() == 1)
        sequences, ids, milliseconds, columns = read_block(data.take(data.left()))
        if (sequences[0], sequences[-1]) != (first, last):
            raise Fault("damaged")
        ticks = []
        for row, sequence in enumerate(sequences):
            boot, offset, synced = epochs[ids[row]]
            values = {series: column[row] for series, column in columns.items() if column[row] is not MISSING}
            ticks.append((sequence, boot, signed(milliseconds[row] + offset), synced, values))
        return ticks


def show(tick, catalogue, as_bits):
    sequence, boot, wall, synced, values = tick
    named = {}
    for series, bits in values.items():
        number = struct.unpack("<d", struct.pack("<Q", bits))[0]
        named[catalogue.series[series]["key"]] = f"{bits:016x}" if as_bits else number
    return json.dumps({"seq": sequence, "boot": boot, "wall": wall, "synced": synced, "m": named}, ensure_ascii=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catalogue", nargs="+", required=True)
    parser.add_argument("--messages", required=True)
    parser.add_argument("--bits", action="store_true")
    options = parser.parse_args()
    chunks = []
    for path in options.catalogue:
        with open(path, encoding="utf-8") as file:
            chunks.append(json.load(file))
    catalogue = Catalogue(chunks)
    reader = Reader(catalogue)
    sys.stdout.reconfigure(encoding="utf-8")
    with open(options.messages, "rb") as file:
        while length := file.read(4):
            message = file.read(struct.unpack("<I", length)[0])
            try:
                for tick in reader.read(message):
                    print(show(tick, catalogue, options.bits))
            except (Fault, zlib.error, LookupError, ValueError, OverflowError) as fault:
                print(json.dumps({"fault": str(fault)}))


if __name__ == "__main__":
    main()
