"""Compares all #include lines of the source with layers.txt."""

import re
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def read_rules(text):
    """({folder: folders it may include}, {header or prefix of headers: folders})."""
    layers, headers = {}, {}
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        if not line:
            continue
        left, _, right = line.partition(":")
        if left.startswith("<"):
            headers.update(dict.fromkeys(left.strip("<>").split(), set(right.split())))
        else:
            layers[left] = set(right.split())
    return layers, headers


def sources(root):
    """(path, folder as layers.txt names it, text) of all C++ files of the programs."""
    for part in ("src", "launcher", "preprocess"):
        for path in sorted((root / part).rglob("*")):
            if path.suffix in (".h", ".cpp"):
                folder = path.parent.relative_to(root / "src" if part == "src" else root)
                yield path.relative_to(root), folder.as_posix(), path.read_text()


def generated(header):
    """Whether the build makes it (cmake/version.h.in, cmake/Embed.cmake)."""
    return header == "dfine_version.h" or header.startswith("embedded/")


def findings(files, layers, headers):
    used, found = defaultdict(set), []
    order = list(layers)
    for folder, may in layers.items():
        for other in sorted(may):
            if other not in layers:
                found.append(f"layers.txt: {folder} may include {other}, which is no layer")
            elif order.index(other) >= order.index(folder):
                found.append(f"layers.txt: {folder} may include {other}, which is not below it")
    for path, folder, text in files:
        if folder not in layers:
            found.append(f"{path}: the folder {folder} is missing in layers.txt")
            continue
        for own, foreign in INCLUDE.findall(text):
            if own:
                other = own.rpartition("/")[0] or folder
                used[folder].add(other)
                if other not in layers[folder] | {folder} and not generated(own):
                    found.append(f"{path}: {folder} may not include {own}")
            for name, folders in headers.items():
                if (own or foreign).startswith(name) and folder not in folders:
                    found.append(f"{path}: {own or foreign} may appear only in "
                                 f"{', '.join(sorted(folders))}")
    for folder, may in layers.items():
        found += [f"layers.txt: {folder} does not include {x}" for x in sorted(may - used[folder])]
    return found


def check_that_it_finds_something():
    layers, headers = read_rules("a:\nb: a\n<x/ y.h b/b.h>: b\n")
    cases = {
        '#include "a/a.h"\n#include <x/x.h>': ("b", 0),
        '#include "b/b.h"': ("a", 2),
        "#include <x/x.h>": ("a", 1),
        '#include "b/b.h"\n#include "b/c.h"': ("a", 3),
        "  #  include <y.h>": ("a", 1),
    }
    for text, (folder, count) in cases.items():
        found = [f for f in findings([("f", folder, text)], layers, headers) if f.startswith("f:")]
        assert len(found) == count, (text, found)
    assert findings([("f", "c", "")], layers, headers)[0].startswith("f: the folder c is missing")
    upwards = findings([], *read_rules("a: b\nb:\n"))
    assert upwards[0] == "layers.txt: a may include b, which is not below it", upwards


def main():
    check_that_it_finds_something()
    layers, headers = read_rules((HERE / "layers.txt").read_text())
    files = list(sources(ROOT))
    assert len(files) > 100, len(files)
    found = findings(files, layers, headers)
    print(*found, sep="\n")
    if found:
        sys.exit(f"{len(found)} findings")
    print(f"{len(files)} files, {len(layers)} layers: passed")


if __name__ == "__main__":
    main()
