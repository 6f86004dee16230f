#!/usr/bin/env python3
"""Makes the benchmark's artifacts, and the documents that speak of them.

    artifacts.py make DIR full|quick WORKLOAD...              artifacts and DIR/WORKLOAD.json, their list
    artifacts.py resource DIR WORKLOAD URL IMAGE              a KafkaConnect resource, to standard output
    artifacts.py dockerfile DIR WORKLOAD URL BASE             the same build as Strimzi writes it for Buildah

The same arguments give the same bytes. What exists already is kept.
"""

import hashlib
import io
import json
import os
import random
import shlex
import sys
import tarfile
import zipfile
import zlib

MB = 1_000_000
GIB = 1 << 30

# Workload -> artifacts: plugin, type, file, bytes in a full run, bytes in a quick one.
WORKLOADS = {
    "base": [("base-libs", "other", "base.bin", 100 * MB, 6 * MB)],
    "v1": [
        ("plug-a", "tgz", "plugin-a.tgz", 25 * MB, 2 * MB),
        ("plug-b", "zip", "plugin-b.zip", 57 * MB, 4 * MB),
        ("plug-c", "jar", "plugin-c.jar", 23 * MB, 2 * MB),
    ],
    "big": [("plug-big", "tgz", "plugin-big.tgz", 480 * MB, 12 * MB)],
    "huge": [("plug-huge", "tgz", "plugin-huge.tgz", 4 * GIB, 32 * MB)],
}
# Jars of one artifact differ up to this many bytes; then they come again under other names. No compressor of the
# trade looks that far back, so it makes only the making faster.
POOL = 64 * MB


def jar(rng, words, size):
    """A jar-like file: a zip of deflated entries, each two thirds noise and one third words.

    Recompressed it behaves as real jars do: gzip saves 2 % and inflates it at the pace of Huffman codes, not of
    stored blocks.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        number = 0
        while buffer.tell() < size:
            length = rng.randint(2_000, 12_000)
            content = rng.randbytes(length * 2 // 3) + b" ".join(rng.choices(words, k=length // 18))
            # A ZipInfo of its own has a fixed date.
            entry = zipfile.ZipInfo(f"org/example/p{number % 9}/Class{number}.class")
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
            number += 1
    return buffer.getvalue()


def jars(seed, total):
    """Jars of many sizes, about `total` bytes together, with names; at most POOL bytes of them are different."""
    rng = random.Random(seed)
    words = [bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 11))) for _ in range(3_000)]
    pool, done, number = [], 0, 0
    while done < total:
        if done < POOL:
            pool.append(jar(rng, words, min(rng.choice((60_000, 300_000, 1 * MB, 4 * MB)), total - done)))
        content = pool[number % len(pool)]
        yield f"library-{number:04}.jar", content
        done += len(content)
        number += 1


class Sums:
    """A file that is hashed on its way."""

    def __init__(self, file):
        self.file, self.size = file, 0
        self.sha512, self.sha256 = hashlib.sha512(), hashlib.sha256()

    def write(self, data):
        self.file.write(data)
        self.size += len(data)
        self.sha512.update(data)
        self.sha256.update(data)


def write_tgz(out, seed, total):
    """One gzip member of one tar, made in a stream.

    Each part is deflated on its own and ends on a byte boundary, so that a jar that comes again is copied.
    """

    def deflate(data):
        deflater = zlib.compressobj(1, zlib.DEFLATED, -15)
        return deflater.compress(data) + deflater.flush(zlib.Z_FULL_FLUSH)

    out.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
    known, crc, size = {}, 0, 0
    for name, content in jars(seed, total):
        info = tarfile.TarInfo(f"plugin/{name}")
        info.size = len(content)
        header, body = info.tobuf(tarfile.USTAR_FORMAT), content + bytes(-len(content) % 512)
        packed = known.get(id(content)) or known.setdefault(id(content), deflate(body))
        out.write(deflate(header) + packed)
        crc, size = zlib.crc32(body, zlib.crc32(header, crc)), size + len(header) + len(body)
    end = bytes(1024)
    # An empty last block closes the deflate stream.
    out.write(deflate(end) + b"\x03\0")
    out.write(zlib.crc32(end, crc).to_bytes(4, "little") + ((size + len(end)) % 2**32).to_bytes(4, "little"))


def write_zip(out, seed, total):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in jars(seed, total):
            entry = zipfile.ZipInfo(f"plugin/{name}")
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, content, compresslevel=1)
    out.write(buffer.getvalue())


def write_jar(out, seed, total):
    rng = random.Random(seed)
    out.write(jar(rng, [f"word{n}".encode() for n in range(3_000)], total))


def write_other(out, seed, total):
    for _, content in jars(seed, total):
        out.write(content)


def make(directory, size, workloads):
    os.makedirs(directory, exist_ok=True)
    for workload in workloads:
        listing = os.path.join(directory, workload + ".json")
        if os.path.exists(listing):
            continue
        artifacts = []
        for plugin, kind, name, full, quick in WORKLOADS[workload]:
            path = os.path.join(directory, name)
            with open(path, "wb") as file:
                out = Sums(file)
                globals()["write_" + kind](out, name, quick if size == "quick" else full)
            artifacts.append({
                "plugin": plugin, "type": kind, "file": name, "bytes": out.size,
                "sha512": out.sha512.hexdigest(), "sha256": out.sha256.hexdigest(),
            })
        # Written last: an interrupted run leaves no list, and the next one begins anew.
        with open(listing, "w") as file:
            json.dump(artifacts, file, indent=1)


def read(directory, workload):
    with open(os.path.join(directory, workload + ".json")) as file:
        return json.load(file)


def resource(directory, workload, url, image):
    plugins = []
    for artifact in read(directory, workload):
        entry = {"type": artifact["type"], "url": f"{url}/{artifact['file']}", "sha512sum": artifact["sha512"]}
        if artifact["type"] == "other":
            entry["fileName"] = artifact["file"]
        plugins.append({"name": artifact["plugin"], "artifacts": [entry]})
    build = {"output": {"type": "docker", "image": image}, "plugins": plugins}
    print(json.dumps({
        "apiVersion": "kafka.strimzi.io/v1", "kind": "KafkaConnect",
        "metadata": {"name": "bench"}, "spec": {"build": build},
    }, indent=1))


def dockerfile(directory, workload, url, base):
    """One RUN for each artifact: make the directory, download, check, unpack, remove the archive."""
    print(f"FROM {base}\n\nUSER root:root\n")
    for artifact in read(directory, workload):
        address = f"{url}/{artifact['file']}"
        short = hashlib.sha1(address.encode()).hexdigest()[:8]
        plugin = f"/opt/kafka/plugins/{artifact['plugin']}"
        place, kind = f"{plugin}/{short}", artifact["type"]
        file = f"{place}/{short}.jar" if kind == "jar" else f"{plugin}/{short}.{kind}"
        steps = [
            ["mkdir", "-p", place],
            ["curl", "-f", "-L", "--output", file, address],
            ["echo", f"{artifact['sha512']} {file}", ">", f"{file}.sha512"],
            ["sha512sum", "-c", f"{file}.sha512"],
            ["rm", "-f", f"{file}.sha512"],
        ]
        if kind == "tgz":
            steps += [["tar", "xvfz", file, "-C", place], ["rm", "-vf", file]]
        if kind == "zip":
            steps += [["unzip", file, "-d", place],
                      ["find", place, "-type", "l", "|", "xargs", "rm", "-f"], ["rm", "-vf", file]]
        lines = [" ".join(word if word in (">", "|") else shlex.quote(word) for word in step) for step in steps]
        print("RUN " + " \\\n && ".join(lines) + "\n")
    print("USER 1001")


if __name__ == "__main__":
    command, rest = sys.argv[1], sys.argv[2:]
    if command == "make":
        make(rest[0], rest[1], rest[2:])
    else:
        {"resource": resource, "dockerfile": dockerfile}[command](*rest)
