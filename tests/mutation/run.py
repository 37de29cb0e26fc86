#!/usr/bin/env python3
"""Puts small faults into the code, one at a time, and lists those that no test notices.

    tests/mutation/run.py --build build/release [--count 100] [--seed 1] [--minutes 90]

README.md in this folder says what happens. Ends with 1 when fewer than 90 % were noticed.
"""
import argparse
import fnmatch
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import mutants
from workplace import TABLE, Workplace, tests_of

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
REQUIRED = 0.9


class Stopped(Exception):
    """By a signal."""


def equivalents():
    """{(file, line before, line after): reason} of equivalent.txt."""
    known = {}
    for paragraph in re.split(r"\n\s*\n", (HERE / "equivalent.txt").read_text()):
        lines = [line for line in paragraph.splitlines() if line and not line.startswith("#")]
        if lines:
            file, before, after, *reason = lines
            known[file, before.strip(), after.strip()] = " ".join(reason)
    return known


def report(results, known, seconds):
    """Prints the outcome; returns the exit code."""
    def of(kind):
        return [mutant for mutant, outcome in results if outcome == kind]

    killed, survived, equivalent = of("killed"), of("survived"), of("equivalent")
    judged = len(killed) + len(survived)
    rate = len(killed) / judged if judged else 0
    print(f"\n{judged} mutants in {seconds / 60:.0f} minutes: {len(killed)} killed, "
          f"{len(survived)} survived ({rate:.0%} killed). Drawn again: "
          f"{len(of('does not compile'))} that do not compile, {len(equivalent)} equivalent")
    for mutant in survived:
        print(f"survived: {mutant}")
    for mutant in equivalent:
        print(f"equivalent: {mutant}\n    {known[mutant.key()]}")
    return 0 if rate >= REQUIRED else 1


def run(options, place, drawn):
    known, results, judged, begin = equivalents(), [], 0, time.monotonic()
    try:
        for mutant in drawn:
            since = time.monotonic()
            if judged == options.count or since - begin > 60 * options.minutes:
                break
            if mutant.key() in known:
                results.append((mutant, "equivalent"))
                continue
            outcome, by = place.judge(mutant)
            results.append((mutant, outcome))
            judged += outcome in ("killed", "survived")
            print(f"[{judged}/{options.count}] {outcome}{by and ' by ' + by}, "
                  f"{time.monotonic() - since:.0f} s: {mutant}", flush=True)
    except Stopped:
        print("interrupted")
    return report(results, known, time.monotonic() - begin)


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--build", type=Path, required=True, metavar="DIR",
        help="a configured build folder of this checkout; its LibTorch and Python are used")
    add("--count", type=int, default=100, help="mutants to judge (default: 100)")
    add("--seed", type=int, default=1, help="of the draw (default: 1)")
    add("--skip", type=int, default=0, metavar="N", help="skip the first N of the draw")
    add("--minutes", type=float, default=90,
        help="stop after this time, the first build not counted (default: 90)")
    add("--files", default="*", metavar="PATTERN", help="only matching files, e.g. 'src/loss/*'")
    add("--jobs", type=int, default=os.cpu_count(), help="compilers at a time")
    add("--work", type=Path, metavar="DIR",
        help="keep copy and build folder here for the next run (default: temporary)")
    add("--list", action="store_true", help="print what is drawn and end")
    return parser.parse_args()


def main():
    options = parse()
    paths = {path for tests in TABLE for pattern in tests.files for path in SOURCE.glob(pattern)}
    names = fnmatch.filter((str(path.relative_to(SOURCE)) for path in paths), options.files)
    drawn = mutants.draw(SOURCE, names, options.seed)[options.skip:]
    if options.list:
        print(*drawn[:options.count], sep="\n")
        return 0

    def stop(*_):
        raise Stopped

    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, stop)
    begin = time.monotonic()
    folder = options.work or Path(tempfile.mkdtemp(prefix="dfine-mutation-"))
    try:
        place = Workplace(SOURCE, folder.resolve(), options.build, options.jobs)
        place.prepare({tests_of(name) for name in names})
        minutes = (time.monotonic() - begin) / 60
        print(f"the sound code is built and tested after {minutes:.0f} minutes", flush=True)
        return run(options, place, drawn)
    except Stopped:
        print("interrupted before the first mutant")
        return 1
    finally:
        if not options.work:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
