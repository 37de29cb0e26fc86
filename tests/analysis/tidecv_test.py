"""The cost of each kind of error against the package tidecv: every number."""
import sys
import tempfile
import types
from pathlib import Path

from random_cases import all_cases, ours, random_case

TOLERANCE = 1e-12  # of numbers in [0, 1], which are sums in another order


def import_tidecv():
    """tidecv imports packages for drawing and for downloads, which computing does not use."""
    names = ("appdirs", "cv2", "matplotlib", "matplotlib.lines", "matplotlib.pyplot", "pandas",
             "seaborn")
    for name in names:
        module = types.ModuleType(name)
        module.FONT_HERSHEY_SIMPLEX = module.Line2D = module.user_data_dir = None
        module.__path__ = []
        sys.modules.setdefault(name, module)
    import tidecv
    tidecv.quantify.P.Plotter = lambda: None  # sets up the drawing
    assert tidecv.__version__ == "1.0.1"
    return tidecv


def reference(tidecv, truth, results):
    data, predictions = tidecv.Data("truth", max_dets=100), tidecv.Data("results")
    for image in truth["images"]:
        data.add_image(image["id"], image["file_name"])
    for category in truth["categories"]:
        data.add_class(category["id"], category["name"])
    for a in truth["annotations"]:
        add = data.add_ignore_region if a["iscrowd"] else data.add_ground_truth
        add(a["image_id"], a["category_id"], list(a["bbox"]))
    for r in results:
        predictions.add_detection(r["image_id"], r["category_id"], r["score"], list(r["bbox"]))
    tide = tidecv.TIDE()
    run = tide.evaluate(data, predictions, mode=tidecv.TIDE.BOX)
    main = run.fix_main_errors()
    special = run.fix_special_errors()
    counts = run.count_errors()
    names = {"classification": "Cls", "localisation": "Loc", "both": "Both", "duplicate": "Dupe",
             "background": "Bkg", "missed": "Miss"}
    out = {"ap": run.ap / 100}
    for error, gain in main.items():
        name = next(k for k, v in names.items() if v == error.short_name)
        out[name] = {"ap": gain / 100, "count": counts[error]}
    for error, gain in special.items():
        name = {"FalsePos": "false_positives", "FalseNeg": "false_negatives"}[error.short_name]
        out[name] = {"ap": gain / 100}
    return out


def compare(name, mine, expected):
    assert mine.keys() == expected.keys(), f"{name}: {mine.keys()}, tidecv {expected.keys()}"
    worst = abs(mine["ap"] - expected["ap"])
    for kind in mine.keys() - {"ap"}:
        worst = max(worst, abs(mine[kind]["ap"] - expected[kind]["ap"]))
        if mine[kind].get("count") != expected[kind].get("count"):
            sys.exit(f"{name}: {kind} {mine[kind]}, tidecv {expected[kind]}")
    if not worst <= TOLERANCE:
        sys.exit(f"{name}: {mine}, tidecv {expected}")
    return worst


def main():
    tidecv = import_tidecv()
    cases = all_cases(300)
    # Nobody notices a kind that never occurs, or a tie that never decides.
    cases += [(f"ties {i}", *random_case(1000 + i, images=20, grid=20, score_steps=3))
              for i in range(60)]
    totals, worst, divided_by_zero = {}, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for (name, truth, results), mine in zip(cases, ours(Path(folder), cases, 2, 0)):
            try:
                expected = reference(tidecv, truth, results)
            except ZeroDivisionError:  # the mean over no class at all, where ours is 0
                divided_by_zero += 1
                continue
            worst = max(worst, compare(name, mine["details"]["errors"], expected))
            for kind in expected.keys() - {"ap"}:
                totals[kind] = totals.get(kind, 0) + (expected[kind]["ap"] > 0)
    print(f"{len(cases) - divided_by_zero} cases equal, largest difference {worst:.1e}; "
          f"cases in which a kind costs AP: {totals}")
    assert divided_by_zero < len(cases) / 10, divided_by_zero
    assert len(totals) == 8 and min(totals.values()) > 10, totals


if __name__ == "__main__":
    main()
