"""What a training step and an image cost on the device: numbers that may only fall.

    budgets_test.py [--update] [CASE...]

CASE is such as n-bf16-1: size, precision, ranks. Without any, those of QUICK are measured; with
DFINE_LONG set all. A case fails if a number is higher than in budgets.json; the message says which.
A lower number is printed. --update writes lower numbers and new cases, never higher ones: those are
written into the file by hand, with the reason in the commit.

Numbers are of one optimizer step, one validation image and one predicted image. Each is the
difference of two runs, so that the start and the end do not count. The step has 2 images of 320x320
per rank and 100 queries. Of several ranks, the highest number counts.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from cases import BCCD, Workspace, expect_clean, pack, subset, train
from counts import difference
from run import amounts, run

BUDGETS = Path(__file__).with_name("budgets.json")
CONFIGS = {"n": "n", "s": "s", "m": "m", "l": "l", "x": "xl"}
QUICK = ["n-bf16-1", "n-bf16-2", "n-fp32-1", "l-bf16-1"]
ALL = [f"{size}-{precision}-{ranks}" for size in CONFIGS for precision in ("bf16", "fp32")
       for ranks in (1, 2)]


def highest(numbers):
    return {name: max(one[name] for one in numbers) for name in numbers[0]}


def peak(reports):
    return max(max(amounts(report, "peak device bytes").values()) for report in reports)


def measure(ws, case):
    size, precision, ranks = case.split("-")
    keys = {"size": CONFIGS[size], "ranks": int(ranks), "run__precision": precision,
            "data__augment": "flip", "validate__every_epochs": 0}
    runs = {steps: train(ws, f"{case}-{steps}", train__epochs=9, train__max_steps=steps,
                         **keys).reports for steps in (2, 4)}
    found = {
        "step": highest([difference(few, many, 2) for few, many in zip(runs[2], runs[4])]),
        "peak bytes": {"training": peak(runs[4])},
    }
    if ranks == "1" and precision == "fp32":
        found.update(of_images(ws, ws(f"{case}-2", "checkpoints", "last"), found["peak bytes"]))
    return found


def of_images(ws, weights, peaks):
    """Validation and prediction are in fp32, of one image at a time here."""
    common = ("--weights", weights, "--device", "cuda", "--image-size", 320)
    few, many = (expect_clean(run("dfine-eval", *common, "--data", ws(f"val{n}"), "--batch-size", 1,
                                  "--threads", 1)).reports[0] for n in (2, 6))
    peaks["validation"] = peak([many])
    found = {"validation image": difference(few, many, 4)}
    images = sorted(Path(BCCD, "images").iterdir())
    few, many = (expect_clean(run("dfine-predict", *common, "--batch", 1,
                                  "--images", *images[:n])).reports[0] for n in (2, 6))
    peaks["prediction"] = peak([many])
    return {**found, "predicted image": difference(few, many, 4)}


def changes(case, found, budget):
    """Lines about what rose, and about what fell. A number without a budget has risen."""
    rose, fell = [], []
    for part, numbers in found.items():
        for name, now in numbers.items():
            then = budget.get(part, {}).get(name)
            if then is None or now > then:
                rose.append(f"{case}: {part}: {name} rose from {then} to {now}")
            elif now < then:
                fell.append(f"{case}: {part}: {name} fell from {then} to {now}")
    return rose, fell


def lowered(found, budget):
    return {part: {name: min(now, budget.get(part, {}).get(name, now))
                   for name, now in numbers.items()} for part, numbers in found.items()}


def check_itself():
    budget = {"step": {"launches": 5, "host waits": 2}}
    assert changes("case", budget, budget) == ([], [])
    for launches, counts in ((6, (1, 0)), (4, (0, 1))):
        found = {"step": {"launches": launches, "host waits": 2}}
        assert tuple(map(len, changes("case", found, budget))) == counts
        assert lowered(found, budget)["step"]["launches"] == min(launches, 5)
    assert len(changes("case", budget, {"step": {"launches": 5}})[0]) == 1
    assert lowered(budget, {}) == budget


def main():
    check_itself()
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    for case in args.cases:
        if case not in ALL:
            parser.error(f"there is no case {case}; cases: {', '.join(ALL)}")
    budgets = json.loads(BUDGETS.read_text()) if BUDGETS.exists() else {}
    all_that_rose = []
    with Workspace() as ws:
        for name, part, count in (("train", "train", 16), ("val2", "val", 2), ("val6", "val", 6)):
            subset(part, count, ws(name + ".json"))
            pack(ws(name + ".json"), ws(name))
        os.symlink(ws("val2"), ws("val"))
        for case in args.cases or (ALL if os.environ.get("DFINE_LONG") else QUICK):
            started = time.monotonic()
            found = measure(ws, case)
            rose, fell = changes(case, found, budgets.get(case, {}))
            if args.update:
                rose = rose if case in budgets else []
                budgets[case] = lowered(found, budgets.get(case, {}))
                BUDGETS.write_text(json.dumps({c: budgets[c] for c in ALL if c in budgets},
                                              indent=2) + "\n")
            all_that_rose += rose
            print(f"{case}: {found['step']} after {time.monotonic() - started:.1f} s", *fell,
                  sep="\n", flush=True)
    if all_that_rose:
        sys.exit("\n".join(all_that_rose))
    print("all passed")


if __name__ == "__main__":
    main()
