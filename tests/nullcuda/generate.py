"""Writes what the null device's libraries consist of beside the C++ files of this folder.

    generate.py --torch DIR --out DIR LIBRARY...     DIR: LibTorch, whose lib/ has libtorch_cuda.so

For each LIBRARY, such as libcudart.so.13, two files are written:

    cudart.cpp   a counted function that does nothing, for each symbol that LibTorch imports from it
    cudart.map   the linker's version script, empty where the symbols have no version

The functions are weak: one of the same name in this folder's C++ files takes the place of it.
"""

import argparse
import re
import subprocess
from pathlib import Path

# Libraries whose symbols have no version, or not all of them: how the names look.
UNVERSIONED = {
    "cuda": r"cu[A-Z](?!File)",
    "cufile": r"cuFile[A-Z]",
    "cusparseLt": r"cusparseLt[A-Z]",
    "nccl": r"p?nccl[A-Z]",
    "nvshmem_host": r"nvshmem[a-z]*_",
}
# The version of a library's symbols is its file name, but for this one.
VERSION = {"nvshmem_host": "NVSHMEM"}
# Functions that make a handle store it through their first argument. LibTorch takes null for a
# failure.
MAKES_A_HANDLE = re.compile(r"(cublas|cudnn|cusparse|cusolver|cufft|nvrtc)\w*Create\w*")

HEAD = """// Written by generate.py: symbols that LibTorch imports from {file}.
#include "record.h"

#define NULL_WEAK extern "C" __attribute__((weak)) long
"""
HANDLE = ('NULL_WEAK {name}(void** handle) {{ NULL_CALL("{short}", {name}); *handle = '
          'null::token(); return 0; }}\n')
NOTHING = 'NULL_WEAK {name}() {{ NULL_CALL("{short}", {name}); return 0; }}\n'


def imports(library):
    """Pairs (symbol, version or "") that a shared library asks for."""
    command = ["nm", "-D", "--undefined-only", "--with-symbol-versions", library]
    for line in subprocess.run(command, check=True, capture_output=True,
                               text=True).stdout.splitlines():
        name, _, version = line.split()[-1].partition("@")
        yield name, version.lstrip("@")


def write(path, text):
    """Leaves a file that is right as it is, so that nothing is compiled again."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def generate(file, wanted, out):
    short = re.fullmatch(r"lib(\w+)\.so[.\d]*", file).group(1)
    version = VERSION.get(short, file)
    pattern = UNVERSIONED.get(short)
    names = {n for n, v in wanted if v == version or (not v and pattern and re.match(pattern, n))}
    lines = [(HANDLE if MAKES_A_HANDLE.fullmatch(name) else NOTHING).format(name=name, short=short)
             for name in sorted(names)]
    write(out / f"{short}.cpp", HEAD.format(file=file) + "".join(lines))
    has_versions = any(v == version for _, v in wanted)
    write(out / f"{short}.map", f"{version} {{ global: *; }};\n" if has_versions
          else "{ global: *; };\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("libraries", nargs="+")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch = [f for f in sorted((args.torch / "lib").glob("*.so")) if "python" not in f.name]
    wanted = {one for f in torch for one in imports(f)}
    for file in args.libraries:
        generate(file, wanted, args.out)


if __name__ == "__main__":
    main()
