"""dfine-pack on a file system of 16 KiB that is full, then read-only; mounting one needs root."""
import os
import subprocess
import sys

from packing import BIN, Case, dfine_pack


def check(case):
    small = case.root / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", small]
    mounted = subprocess.run(mount, capture_output=True, text=True) if os.geteuid() == 0 else None
    if mounted is None or mounted.returncode != 0:
        reason = mounted.stderr.strip() if mounted else "this needs root"
        print(f"skipped: no file system of 16 KiB can be mounted: {reason}")
        sys.exit()
    inputs = ["--images", case.images, "--annotations", case.write()]
    try:
        for more in ([], ["--part", "1/1"], ["--max-side", "60"]):
            _, error = dfine_pack(*inputs, "--output", small / "pack", *more, expect=1)
            assert "[disk_full]" in error and "hint: " in error, error
            assert list(small.iterdir()) == []
        case.pack()
        subprocess.run(f"head -c 20000 /dev/zero > {small}/fill", shell=True,
                       stderr=subprocess.PIPE)
        with open(small / "out", "w") as out:
            done = subprocess.run([BIN / "dfine-pack", "info", case.output], stdout=out,
                                  stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and "[write_failed]" in done.stderr, done
        for name in ("fill", "out"):
            (small / name).unlink()
        subprocess.run(["mount", "-o", "remount,ro", small], check=True)
        for command in (inputs, [*inputs, "--part", "1/1"], ["extract", case.output]):
            _, error = dfine_pack(*command, "--output", small / "pack", expect=1)
            assert "Read-only file system" in error and "hint: " in error, error
    finally:
        subprocess.run(["umount", small], check=True)


if __name__ == "__main__":
    with Case() as case:
        check(case)
    print("all passed")
