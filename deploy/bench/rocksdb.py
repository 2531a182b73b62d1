#!/usr/bin/env python3
"""Bytes that RocksDB writes to tables for a file of line protocol, over those that stand in the end.

A row is one key (number of the series, timestamp) with the fields' values, 8 bytes each, as Varve keeps them before encoding. Loaded in
the order of the file by `ldb load` (Debian's rocksdb-tools): leveled compaction, Snappy, no log. Written bytes are the sizes of all tables that its LOG
says were made, standing ones those of the files at the end.

    rocksdb.py FILE.lp [WRITE_BUFFER_BYTES]
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile


def rows(path):
    """Each line as key and value, as hexadecimal."""
    series = {}
    with open(path, "rb") as lines:
        for line in lines:
            name, fields, time = line.split(b" ")
            number = series.setdefault(name, len(series))
            key = struct.pack(">IQ", number, int(time))
            values = (field.split(b"=")[1].rstrip(b"i\n") for field in fields.split(b","))
            value = b"".join(struct.pack("<d" if b"." in one else "<q", float(one) if b"." in one else int(one)) for one in values)
            yield f"0x{key.hex().upper()} ==> 0x{value.hex().upper()}\n".encode()


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


def load(source, buffer_bytes):
    folder = tempfile.mkdtemp(prefix="rocksdb-")
    try:
        command = ["ldb", f"--db={folder}", "--create_if_missing", "--hex", "--compression_type=snappy",
                   f"--write_buffer_size={buffer_bytes}", f"--file_size={buffer_bytes}", "--disable_wal", "load"]
        with open(source, "rb") as lines:
            subprocess.run(command, stdin=lines, check=True, stdout=subprocess.DEVNULL)
        made = written(folder)
        standing = [os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder) if name.endswith(".sst")]
        return sum(made), sum(standing), len(made), len(standing)
    finally:
        shutil.rmtree(folder)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    buffer_bytes = int(sys.argv[2]) if len(sys.argv) > 2 else 16 << 20
    with tempfile.NamedTemporaryFile(prefix="rocksdb-", suffix=".kv") as source:
        source.writelines(rows(sys.argv[1]))
        source.flush()
        made, standing, made_count, standing_count = load(source.name, buffer_bytes)
    print(f"written {made} bytes in {made_count} tables, standing {standing} in {standing_count}, written over standing {made / standing:.2f}")


if __name__ == "__main__":
    main()
