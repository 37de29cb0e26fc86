#!/usr/bin/env python3
"""Runs a program on the null device, where nothing is computed and everything else happens.

    run.py [--ranks N] [--devices N] PROGRAM [ARGUMENT...]

prints what the program did and where it waited, and ends with its exit code. A program that takes
longer than 240 s is ended. DFINE_NULLCUDA_DIR is the folder of the libraries,
build/cuda/tests/nullcuda/lib. README.md says what else can be set.

The libraries are preloaded. Our programs and LibTorch look into folders of their own (DT_RPATH)
before LD_LIBRARY_PATH, but they do not look for a library that is loaded already.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Done:
    """code is None where the program did not end in time; reports are those of the ranks."""

    code: int | None
    log: str
    seconds: float
    reports: list = field(default_factory=list)


def libraries():
    folder = Path(os.environ["DFINE_NULLCUDA_DIR"]).resolve()
    found = [folder / "libnullcore.so", *sorted(folder.glob("lib*.so.*"))]
    if len(found) < 10:
        sys.exit(f"{folder} has no null device; build the target nullcuda")
    return ":".join(map(str, found))


def wait(process, seconds):
    """The output, and whether the program ended in time. mpirun ends its ranks when it is asked to
    end.
    """
    try:
        return process.communicate(timeout=seconds)[0], True
    except subprocess.TimeoutExpired:
        process.terminate()
    try:
        return process.communicate(timeout=20)[0], False
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0], False


def run(program, *arguments, ranks=1, devices=None, caching=False, seconds=240, **variables):
    """Runs PROGRAM of the build; `variables` are environment variables, such as NULLCUDA_FAIL.

    Without LibTorch's caching of device memory all tensors begin with zeros, so that results do not
    depend on what was there before.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report")
        settings = {"NULLCUDA_REPORT": report, "NULLCUDA_DEVICES": devices or ranks,
                    "LD_PRELOAD": libraries(), **variables}
        if not caching:
            settings["PYTORCH_NO_CUDA_MEMORY_CACHING"] = 1
        # Set for the program only: mpirun and env must not load the null device.
        command = ["env", *(f"{k}={v}" for k, v in settings.items()),
                   os.path.join(os.environ["DFINE_BINARY_DIR"], program)]
        command += map(str, arguments)
        if ranks > 1:
            command = ["mpirun", "-np", str(ranks), "--bind-to", "none",
                       "--oversubscribe", *command]
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True)
        log, ended = wait(process, seconds)
        done = Done(process.returncode if ended else None, log, time.monotonic() - started)
        names = [report] if ranks == 1 else [f"{report}.{r}" for r in range(ranks)]
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                done.reports.append(json.loads(Path(name).read_text()))
        return done


def named(program, frames):
    """The program's own functions of a stack, outermost last; LibTorch's where there are none, as
    in the backward pass.
    """
    own = [frame.removeprefix("exe+") for frame in frames if frame.startswith("exe+")]
    if own:
        command = ["addr2line", "-Cf", "-e", program, *own[:4]]
        return subprocess.run(command, check=False, capture_output=True,
                              text=True).stdout.splitlines()[::2]
    return subprocess.run(["c++filt", *frames[:6]], check=False, capture_output=True,
                          text=True).stdout.splitlines()


def amounts(report, group):
    return report["amounts"].get(group, {})


def complaints(done, ranks=1):
    """What is wrong with a run that should have succeeded, one line each."""
    found = [] if done.code == 0 else [f"exit code {done.code}"]
    if len(done.reports) != ranks:
        return [*found, f"{len(done.reports)} reports of {ranks} ranks"]
    for rank, report in enumerate(done.reports):
        found += [f"rank {rank}: {what} ({n} times)"
                  for what, n in amounts(report, "misuse").items()]
        for group in ("launches", "peak device bytes"):
            found += [f"rank {rank}: {group} on device {device}: {n}"
                      for device, n in amounts(report, group).items() if int(device) != rank]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--devices", type=int)
    parser.add_argument("program")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    done = run(args.program, *args.arguments, ranks=args.ranks, devices=args.devices)
    print(done.log, end="")
    for rank, report in enumerate(done.reports):
        print(f"== rank {rank}")
        for group in sorted(report["amounts"].keys() - {"kernels"}):
            print(f"{group}: {report['amounts'][group]}")
        print(f"NCCL calls: {len(report['nccl'])}")
        places = Counter()
        for place in report["places"]:
            places[place["what"], *named(os.path.join(os.environ["DFINE_BINARY_DIR"], args.program),
                                         place["stack"])] += place["count"]
        for (what, *names), count in places.most_common(20):
            print(f"{count} x {what}", *(name[:140] for name in names), sep="\n    ")
    print(f"exit code {done.code} after {done.seconds:.1f} s")
    sys.exit(1 if done.code is None else done.code)


if __name__ == "__main__":
    main()
