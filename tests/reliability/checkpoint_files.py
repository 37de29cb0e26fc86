"""Reads checkpoints without the programs under test: whether all bytes are there, and which weights
they hold.
"""
import json
import os
import re

import numpy as np
import torch

LINKS = ("last", "best", "best_stage1")
_LANES = 8192  # parts of a file that are summed side by side


def _bytes_on(states, count):
    """The checksum's states after `count` zero bytes."""
    for _ in range(8 * count):
        states = np.where(states & 1, (states >> 1) ^ np.uint32(0x82F63B78), states >> 1)
    return states


_BYTE = _bytes_on(np.arange(256, dtype=np.uint32), 1).tolist()
_LOW = _bytes_on(np.arange(65536, dtype=np.uint32), 4)
_HIGH = _bytes_on(np.arange(65536, dtype=np.uint32) << np.uint32(16), 4)


def _words_on(count):
    """What `count` zero words make of a state: a matrix over bits, its columns as 32 states."""
    power = _bytes_on(np.uint32(1) << np.arange(32, dtype=np.uint32), 4)
    result = np.uint32(1) << np.arange(32, dtype=np.uint32)

    def applied(states):
        bits = (states[:, None] >> np.arange(32, dtype=np.uint32)) & 1
        return np.bitwise_xor.reduce(np.where(bits == 1, power[None, :], np.uint32(0)), axis=1)

    while count:
        if count & 1:
            result = applied(result)
        power = applied(power)
        count >>= 1
    return result.tolist()


def crc32c(data):
    """CRC-32C of bytes."""
    data = np.frombuffer(data, dtype=np.uint8)
    words = len(data) // 4 // _LANES
    state = 0xFFFFFFFF
    if words:
        lanes = data[:4 * words * _LANES].view("<u4").reshape(_LANES, words)
        sums = np.zeros(_LANES, dtype=np.uint32)
        for row in np.ascontiguousarray(lanes.T):
            sums ^= row
            sums = _LOW[sums & 0xFFFF] ^ _HIGH[sums >> 16]
        columns = _words_on(words)
        for lane in sums.tolist():
            moved = 0
            for bit, column in enumerate(columns):
                if state >> bit & 1:
                    moved ^= column
            state = moved ^ lane
    for byte in data[4 * words * _LANES:].tolist():
        state = (state >> 8) ^ _BYTE[(state ^ byte) & 0xFF]
    return state ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283

_known = {}  # checksums of files seen before; a checkpoint's files are hard links of each other


def _checksum(path):
    status = os.stat(path)
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if key not in _known:
        with open(path, "rb") as f:
            _known[key] = crc32c(f.read())
    return _known[key]


def damage(folder):
    """What is wrong with the checkpoint `folder`; empty: nothing."""
    path = os.path.join(folder, "manifest.json")
    if not os.path.exists(path):
        return f"{path} is missing"
    with open(path, "rb") as f:
        text = f.read()
    # The last entry is the checksum of the text without it.
    entry = re.search(rb',\n  "crc32c": "([0-9a-f]{8})"\n}\n\Z', text)
    if not entry or int(entry[1], 16) != crc32c(text[:entry.start()] + b"\n}"):
        return f"{path} does not have its own checksum"
    manifest = json.loads(text)
    here = set(os.listdir(folder)) - {"manifest.json"}
    if here != set(manifest["files"]):
        return f"{folder} has {sorted(here)}, its manifest {sorted(manifest['files'])}"
    for name, listed in manifest["files"].items():
        file = os.path.join(folder, name)
        if os.path.getsize(file) != listed["size"]:
            return f"{file} has {os.path.getsize(file)} bytes, not {listed['size']}"
        if _checksum(file) != int(listed["crc32c"], 16):
            return f"{file} does not have the checksum of the manifest"
    return ""


def checkpoints(run_dir):
    """Names of the complete checkpoints, oldest first. Of one step the validated one is newer."""
    folder = os.path.join(run_dir, "checkpoints")
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(n for n in names if re.fullmatch(r"step-\d{8}(-val)?", n))


def require_intact(run_dir, newest=None):
    """The checkpoints, or the `newest` ones, are undamaged, and links mean one of them."""
    names = checkpoints(run_dir)
    assert names, f"there is no checkpoint in {run_dir}"
    for name in names[-newest:] if newest else names:
        wrong = damage(os.path.join(run_dir, "checkpoints", name))
        assert not wrong, wrong
    for link in LINKS:
        path = os.path.join(run_dir, "checkpoints", link)
        if os.path.lexists(path):
            target = linked(path)
            assert target in names, f"{path} means {target}, there are {names}"


def linked(path):
    """The name of the folder that a link or a link file means."""
    if os.path.islink(path):
        return os.readlink(path)
    with open(path, encoding="utf-8") as f:
        return f.read().strip()


def leftovers(run_dir):
    """Temporaries of files and folders below the run's folder, as (path, inode)."""
    found = set()
    for folder, folders, files in os.walk(run_dir):
        for name in folders + files:
            path = os.path.join(folder, name)
            if ".partial" in name and os.path.lexists(path):
                found.add((path, os.lstat(path).st_ino))
    return found


def final(run_dir):
    """What a run has come to: the tensors of `last`, and the counters that its manifest has."""
    path = os.path.join(run_dir, "checkpoints", "last")
    folder = os.path.join(run_dir, "checkpoints", linked(path))
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as f:
        run = json.load(f)["run"]
    for of_the_start in ("run_id", "attempt", "minutes", "config"):
        del run[of_the_start]
    links = {name: linked(os.path.join(run_dir, "checkpoints", name)) for name in LINKS
             if os.path.lexists(os.path.join(run_dir, "checkpoints", name))}
    return {"state": torch.load(os.path.join(folder, "state.pth"), weights_only=True),
            "run": run, "links": links}


def require_same(expected, found, where):
    """Two results of final() are equal: weights, EMA and the optimizer's moments bit for bit."""
    different = list(_differences(expected, found, "final"))
    assert not different, f"{where}: {len(different)} entries differ: {different[:5]}"


def _differences(a, b, name):
    if isinstance(a, torch.Tensor):
        if not (isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)):
            yield name
    elif isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        for key in a:
            yield from _differences(a[key], b[key], f"{name}.{key}")
    elif isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from _differences(x, y, f"{name}[{i}]")
    elif a != b:
        yield f"{name}: {a!r}, {b!r}"
