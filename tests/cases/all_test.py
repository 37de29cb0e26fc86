"""Small inputs from the field that once failed or were silently misread, each in a folder of its
own.

    all_test.py [NAME ...]     all of them without names

README.md of a folder says what the input is and what must happen; check(case) in its check.py sees
to it.
"""
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

FOLDER = os.path.dirname(os.path.abspath(__file__))
BIN = os.environ["DFINE_BINARY_DIR"]


class Case:
    """A copy of one folder, which the check may write into; commands run in it."""

    def __init__(self, name, copy):
        self.name, self.copy = name, copy

    def __call__(self, *parts):
        return os.path.join(self.copy, *parts)

    def run(self, program, *arguments, expect=0, env=None, shell_prefix=()):
        """Runs a program of the build in the copy; returns stdout and stderr together. `env`:
        further variables.
        """
        command = [*shell_prefix, os.path.join(BIN, program), *map(str, arguments)]
        done = subprocess.run(command, cwd=self.copy, env={**os.environ, **(env or {})},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="surrogateescape", timeout=300,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == expect, (f"{' '.join(command)}: exit code {done.returncode}, "
                                           f"expected {expect}\n{done.stdout}")
        return done.stdout

    def pack(self, *arguments, expect=0):
        """Packs images/ with a.json into OUT."""
        return self.run("dfine-pack", "--images", "images", "--annotations", "a.json",
                        "--output", self("OUT"), *arguments, expect=expect)

    def pack_yolo(self, *arguments, expect=0):
        """Packs the split `train` of data.yaml into OUT."""
        return self.run("dfine-pack", "--format", "yolo", "--annotations", "data.yaml",
                        "--split", "train", "--output", self("OUT"),
                        *arguments, expect=expect)

    def text(self, *parts):
        with open(self(*parts), encoding="utf-8") as f:
            return f.read()

    def manifest(self):
        return json.loads(self.text("OUT", "manifest.json"))


def load_check(name):
    path = os.path.join(FOLDER, name, "check.py")
    spec = importlib.util.spec_from_file_location(f"cases_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.check


def names():
    return sorted(n for n in os.listdir(FOLDER) if os.path.isdir(os.path.join(FOLDER, n))
                  and not n.startswith(("_", ".")))


def main():
    failed = []
    chosen = sys.argv[1:] or names()
    for name in chosen:
        temporary = tempfile.mkdtemp(prefix=f"dfine-case-{name}-")
        copy = os.path.join(temporary, name)
        try:
            shutil.copytree(os.path.join(FOLDER, name), copy, symlinks=True,
                            ignore=shutil.ignore_patterns("README.md", "check.py", "__pycache__"))
            load_check(name)(Case(name, copy))
            print(f"{name}: passed", flush=True)
        except Exception:  # every case is tried
            traceback.print_exc(file=sys.stdout)
            print(f"{name}: FAILED", flush=True)
            failed.append(name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    if failed:
        sys.exit(f"{len(failed)} of {len(chosen)} cases failed: {' '.join(failed)}")
    print(f"{len(chosen)} cases passed")


if __name__ == "__main__":
    main()
