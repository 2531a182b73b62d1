#!/usr/bin/env python3
"""Bytes that RocksDB writes to tables for a file of line protocol, over those that stand in the end.

A row is one key (number of the series, timestamp) with the fields' values, 8 bytes each, as Varve keeps them before encoding. Written in
the order of the file through RocksDB's library (Debian's librocksdb7.8), once with leveled and once with universal compaction; Snappy, no log,
its own defaults else. Written bytes are the sizes of all tables that its LOG says were made, standing ones those of the files that it lists in
the end, when no compaction is left to do.

    rocksdb.py FILE.lp [WRITE_BUFFER_BYTES]
"""
import ctypes
import ctypes.util
import json
import os
import shutil
import struct
import sys
import tempfile
import time

STYLES = {"leveled": 0, "universal": 1}
BATCH_ROWS = 1_000
SNAPPY = 1


def library():
    """RocksDB's C interface, with the types of what is used of it."""
    name = ctypes.util.find_library("rocksdb") or "librocksdb.so.7.8"
    rocksdb = ctypes.CDLL(name)
    pointers = ["options_create", "writeoptions_create", "writebatch_create", "flushoptions_create", "open", "property_value"]
    for function in pointers:
        getattr(rocksdb, "rocksdb_" + function).restype = ctypes.c_void_p
    return rocksdb


def rows(path):
    """Each line as key and value."""
    series = {}
    with open(path, "rb") as lines:
        for line in lines:
            name, fields, timestamp = line.split(b" ")
            number = series.setdefault(name, len(series))
            key = struct.pack(">IQ", number, int(timestamp))
            values = (field.split(b"=")[1].rstrip(b"i\n") for field in fields.split(b","))
            yield key, b"".join(struct.pack("<d" if b"." in one else "<q", float(one) if b"." in one else int(one)) for one in values)


def written(folder):
    """Sizes of all tables made, from the events in LOG, and how many."""
    sizes = []
    for name in os.listdir(folder):
        if not name.startswith("LOG"):
            continue
        with open(os.path.join(folder, name), errors="replace") as log:
            for line in log:
                if "EVENT_LOG_v1" in line and '"table_file_creation"' in line:
                    sizes.append(json.loads(line[line.index("{"):])["file_size"])
    return sizes


class Database:
    """One database with one way of compaction; every call of the library that fails raises."""

    def __init__(self, rocksdb, folder, style, buffer_bytes):
        self.rocksdb = rocksdb
        options = ctypes.c_void_p(rocksdb.rocksdb_options_create())
        rocksdb.rocksdb_options_set_create_if_missing(options, ctypes.c_ubyte(1))
        rocksdb.rocksdb_options_set_compaction_style(options, ctypes.c_int(style))
        rocksdb.rocksdb_options_set_compression(options, ctypes.c_int(SNAPPY))
        rocksdb.rocksdb_options_set_write_buffer_size(options, ctypes.c_size_t(buffer_bytes))
        rocksdb.rocksdb_options_set_target_file_size_base(options, ctypes.c_uint64(buffer_bytes))
        self.write_options = ctypes.c_void_p(rocksdb.rocksdb_writeoptions_create())
        rocksdb.rocksdb_writeoptions_disable_WAL(self.write_options, ctypes.c_int(1))
        self.db = ctypes.c_void_p(self.call("open", options, os.fsencode(folder)))
        self.batch = ctypes.c_void_p(rocksdb.rocksdb_writebatch_create())

    def call(self, function, *arguments):
        error = ctypes.c_char_p()
        answer = getattr(self.rocksdb, "rocksdb_" + function)(*arguments, ctypes.byref(error))
        if error.value is not None:
            sys.exit(f"rocksdb_{function}: {error.value.decode(errors='replace')}")
        return answer

    def put(self, pairs):
        for count, (key, value) in enumerate(pairs, start=1):
            self.rocksdb.rocksdb_writebatch_put(
                self.batch, key, ctypes.c_size_t(len(key)), value, ctypes.c_size_t(len(value)))
            if count % BATCH_ROWS == 0:
                self.write()
        self.write()

    def write(self):
        self.call("write", self.db, self.write_options, self.batch)
        self.rocksdb.rocksdb_writebatch_clear(self.batch)

    def number(self, name):
        """A property of the database."""
        text = self.rocksdb.rocksdb_property_value(self.db, name.encode())
        if text is None:
            sys.exit(f"rocksdb has no property {name}")
        value = int(ctypes.string_at(text))
        self.rocksdb.rocksdb_free(ctypes.c_void_p(text))
        return value

    def settle(self):
        """Flushes, and waits until no compaction runs or is due. Universal compaction may say for good that one is: five seconds without any are enough."""
        options = ctypes.c_void_p(self.rocksdb.rocksdb_flushoptions_create())
        self.rocksdb.rocksdb_flushoptions_set_wait(options, ctypes.c_ubyte(1))
        self.call("flush", self.db, options)
        calm = 0
        while calm < 25:
            if self.number("rocksdb.num-running-compactions"):
                calm = 0
            else:
                calm += 1 if self.number("rocksdb.compaction-pending") else 9
            time.sleep(0.2)

    def close(self):
        self.rocksdb.rocksdb_close(self.db)


def load(source, style, buffer_bytes):
    """Tables that were made and tables that stand, as lists of sizes."""
    folder = tempfile.mkdtemp(prefix="rocksdb-")
    try:
        database = Database(library(), folder, style, buffer_bytes)
        database.put(rows(source))
        database.settle()
        standing = database.number("rocksdb.live-sst-files-size")
        database.close()
        return written(folder), standing
    finally:
        shutil.rmtree(folder)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    buffer_bytes = int(sys.argv[2]) if len(sys.argv) > 2 else 16 << 20
    for name, style in STYLES.items():
        made, standing = load(sys.argv[1], style, buffer_bytes)
        print(f"{name}: written {sum(made)} bytes in {len(made)} tables, standing {standing}, "
              f"written over standing {sum(made) / standing:.2f}")


if __name__ == "__main__":
    main()
