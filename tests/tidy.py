"""clang-tidy, with the rules of .clang-tidy, over the programs' sources; called by lint.sh tidy.

usage: tests/tidy.py [--all] CLANG_TIDY [BUILD]

Without --all: the sources that need no LibTorch, whose headers take clang-tidy minutes to read.
BUILD (default: build/release) must have been built: it has compile_commands.json and generated
headers.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def sources(build, with_torch):
    """Files of src, launcher and preprocess in BUILD's compile_commands.json."""
    found = set()
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = Path(entry["directory"], entry["file"])
        if (path.is_relative_to(ROOT)
            and path.relative_to(ROOT).parts[0] in ("src", "launcher", "preprocess")):
            if with_torch or "torch/csrc/api/include" not in entry["command"]:
                found.add(path)
    return sorted(found)


def main():
    arguments = sys.argv[1:]
    with_torch = "--all" in arguments
    tidy, *build = [argument for argument in arguments if argument != "--all"]
    build = Path(build[0] if build else ROOT / "build" / "release")
    if not (build / "compile_commands.json").exists():
        sys.exit(f"tidy.py: {build} has no compile_commands.json; build it first: "
                 f"launcher/setup.sh --preset release --tests")
    files = sources(build, with_torch)
    # -w: the compiler's own warnings are GCC's matter.
    command = [tidy, "-p", str(build), "--quiet", "--extra-arg=-w"]

    def check(path):
        result = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
        if result.returncode:
            print(result.stdout, end="", flush=True)
        return result.returncode

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failed = [path for path, code in zip(files, pool.map(check, files)) if code]
    print(f"clang-tidy: {len(files)} files, {len(failed)} with findings")
    sys.exit(bool(failed) or not files)


if __name__ == "__main__":
    main()
