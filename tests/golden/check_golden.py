"""Runs the official code again and compares it with all stored values, of all sizes, so that they can be trusted.

    DFINE_OFFICIAL=checkout-of-Peterande/D-FINE python check_golden.py [names of CHECKS]

Skipped without $DFINE_OFFICIAL. Values in double precision are compared to their stored digits. Those in single precision, and how far
rounding moves them, depend on the processor and on how it orders sums: they are compared within what the official code's own rounding is.
"""
import json
import os
import sys
import time

if not os.environ.get("DFINE_OFFICIAL"):
    print("skipped: DFINE_OFFICIAL is not set (a checkout of Peterande/D-FINE)")
    sys.exit()
import make_autocast  # noqa: E402
import make_class_heads  # noqa: E402
import make_criterion  # noqa: E402
import make_denoising  # noqa: E402
import make_evaluation  # noqa: E402
import make_parameter_groups  # noqa: E402
import make_parity  # noqa: E402
import make_recipes  # noqa: E402
import make_trajectory  # noqa: E402
import make_val_loss  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

SINGLE = 2e-5  # relative: a loss term in single precision on two processors, each within 1e-5 of double precision


def load(name):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".json")) as f:
        return json.load(f)


def compare(where, stored, found, tolerance, floor=0.0):
    """Nested values, equal up to a relative tolerance of the largest number in a list, and up to `floor`."""
    if isinstance(stored, dict):
        assert stored.keys() == found.keys(), f"{where}: {sorted(stored.keys() ^ found.keys())[:5]}"
        for key in stored:
            compare(f"{where}.{key}", stored[key], found[key], tolerance, floor)
    elif isinstance(stored, list) and stored and isinstance(stored[0], float):
        bound = tolerance * max(map(abs, stored)) + floor
        assert len(stored) == len(found) and all(abs(a - b) <= bound for a, b in zip(stored, found)), f"{where}: {stored} {found}"
    elif isinstance(stored, float):
        assert abs(stored - found) <= tolerance * abs(stored) + floor, f"{where}: {stored} {found}"
    else:
        assert stored == found, f"{where}: {stored} {found}"


def split(values, *names):
    """(the named values, the others)"""
    return {k: values[k] for k in names}, {k: v for k, v in values.items() if k not in names}


def alike(where, stored, found, factor=3):
    """How far rounding moves something, on this processor and on the one that the stored values are of."""
    if isinstance(stored, dict):
        assert stored.keys() == found.keys(), where
        for key in stored:
            alike(f"{where}.{key}", stored[key], found[key], factor)
    else:
        a, b = (x if isinstance(x, float) else max(x) for x in (stored, found))
        assert a <= factor * b and b <= factor * a, f"{where}: {stored} {found}"


def check_criterion():
    stored = load("criterion")
    for name, case in make_criterion.CASES.items():
        for dtype, key, tolerance in ((torch.float64, "float64", 1e-9), (torch.float32, "float32", SINGLE)):
            found = make_criterion.run(dtype, **case)
            assert found.pop("go") == stored[name]["go"], name
            compare(f"{name}.{key}", stored[name][key], found, tolerance)


def check_class_heads():
    compare("class_heads", load("class_heads"), make_class_heads.collect(), 0)


def check_denoising():
    stored = load("denoising")
    assert stored.keys() == make_denoising.CASES.keys()
    for name, case in make_denoising.CASES.items():
        compare(name, stored[name], make_denoising.run(*case), 1e-5)


def check_parity():
    stored = load("parity")
    for size, figures in stored["sizes"].items():
        found = make_parity.size_case(size)
        assert figures.keys() == found.keys(), size
        for name in ("exact", "published"):
            if name in figures:  # a bias in front of a live norm has a gradient of zero but for rounding
                norm = np.linalg.norm([g[0] for g in figures[name]["grads"].values()])
                compare(f"{size} {name} gradients", figures[name]["grads"], found[name]["grads"], 1e-8, 1e-12 * norm)
        compare_losses(f"{size} exact", split(figures["exact"], "grads")[1], split(found["exact"], "grads")[1], exact="losses")
        for name in ("rounded", "published"):
            if name in figures:
                compare_losses(f"{size} {name}", split(figures[name], "grads")[1], split(found[name], "grads")[1])
        assert figures["more"].keys() == found["more"].keys(), size
        for name, case in figures["more"].items():
            compare_losses(f"{size} {name}", case, found["more"][name])
        ours, theirs = sorted(figures["rounding"].pop("grads")), sorted(found["rounding"].pop("grads"))
        compare(f"{size} rounding", figures["rounding"], found["rounding"], 0)
        # As tests/loss/parity_test.cpp: some batches cross a kink of the network, which ones depends on the processor.
        for a, b in ((ours, theirs), (theirs, ours)):
            assert a[0] <= 3 * b[len(b) // 2], f"{size} rounding: {ours} {theirs}"
    trajectory = stored["trajectory"]
    case, losses = split(trajectory, "res", "counts", "dn", "steps", "lr")
    for key, dtype, tolerance in (("loss64", torch.float64, 1e-8), ("loss", torch.float32, 1e-4)):
        compare(f"trajectory {key}", losses[key], make_parity.trajectory(dtype=dtype, **case), tolerance)


def compare_losses(where, stored, found, exact="losses64"):
    """All of a case but single precision to its digits, and that to SINGLE."""
    assert stored.keys() == found.keys(), where
    for key in stored:
        compare(f"{where}.{key}", stored[key], found[key], SINGLE if key == "losses" and exact != "losses" else 1e-8)


def check_evaluation():
    stored = load("evaluation")
    assert (stored["queries"], stored["batch"]) == (make_evaluation.QUERIES, make_evaluation.BATCH)
    for size, resolutions in stored["sizes"].items():
        statistics = make_evaluation.measure(size)
        for res, figures in resolutions.items():
            where = f"evaluation {size} {res}"
            logits, boxes, scores = make_evaluation.run(size, int(res), torch.float32, statistics, figures["seed"])
            gaps = scores[:, :-1] - scores[:, 1:]
            assert (gaps[:, make_evaluation.QUERIES - 1] > make_evaluation.MARGIN / 2).all(), where
            for gap, places in zip(gaps, figures["places"]):
                assert all(gap[i] > make_evaluation.MARGIN / 2 and (i == 0 or gap[i - 1] > make_evaluation.MARGIN / 2) for i in places), where
            # Each within `rounding` of double precision, which is stored to two digits.
            for k, distance in enumerate(make_evaluation.difference(figures, logits, boxes)):
                assert distance <= 3 * figures["rounding"][k], f"{where}: {distance}"
            for name, t, k in (("mean_logits", logits, 0), ("mean_boxes", boxes, 1)):
                distance = np.abs(np.array(figures[name]) - t.double().mean(1).numpy()).max()
                assert distance <= 3 * figures["rounding"][k], f"{where} {name}: {distance}"
            exact = make_evaluation.run(size, int(res), torch.float64, statistics, figures["seed"])[:2]
            compare(f"{where} rounding", figures["rounding"], make_evaluation.difference(figures, *exact), 0.06)


def check_parameter_groups():
    for size, groups in load("parameter_groups")["sizes"].items():
        compare(f"parameter_groups {size}", groups, make_parameter_groups.groups(make_parameter_groups.coco(size)), 0)


def check_recipes():
    stored = load("recipes")
    assert stored["recipes"].keys() == make_recipes.FILES.keys()
    for name, pattern in make_recipes.FILES.items():
        for size, recipe in stored["recipes"][name].items():
            compare(f"recipes {name} {size}", recipe, make_recipes.recipe(pattern.format(size), size), 0)
            compare(f"recipes {name} {size} fixed", stored["fixed"], make_recipes.fixed(pattern.format(size)), 0)


def check_trajectory():
    stored = load("trajectory")
    assert stored.keys() == make_trajectory.RUNS.keys()
    for size, setting in make_trajectory.RUNS.items():
        found = make_trajectory.case(setting)
        spread, rest = split(stored[size], "spread")
        alike(f"trajectory {size}", spread, {"spread": found["spread"]}, factor=10)
        weights, rest = split(rest, "raw", "ema")
        for which in weights:  # stored to 6 digits; a parameter whose gradient is rounding moves as rounding has it, though no further
            norm = np.concatenate([np.array(x) for x in weights[which].values()])
            gap = np.concatenate([np.array(found[which][n]) - np.array(x) for n, x in weights[which].items()])
            assert weights[which].keys() == found[which].keys() and np.linalg.norm(gap) <= 1e-4 * np.linalg.norm(norm), f"trajectory {size} {which}"
        compare(f"trajectory {size}", rest, {k: found[k] for k in rest}, 1e-7)


def check_autocast():
    stored = load("autocast")
    for size, figures in stored["sizes"].items():
        alike(f"autocast {size}", split(figures, "res")[1], make_autocast.errors(size, figures["res"]), factor=1.5)


def check_val_loss():
    stored, found = load("val_loss"), make_val_loss.collect()
    compare("val_loss", split(stored, "cases")[1], split(found, "cases")[1], 0)
    for name, case in stored["cases"].items():
        compare_losses(f"val_loss {name}", case, found["cases"][name])


CHECKS = {name[len("check_"):]: check for name, check in list(globals().items()) if name.startswith("check_")}


def main():
    for file in os.listdir(os.path.dirname(os.path.abspath(__file__))):
        assert not file.endswith(".json") or file[:-len(".json")] in CHECKS, f"{file} is compared with nothing"
    for name in sys.argv[1:] or CHECKS:
        start = time.monotonic()
        torch.set_num_threads(1)
        CHECKS[name]()
        print(f"{name}: the official code gives the stored values ({time.monotonic() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
