"""Runs the official code again and compares it with the stored figures, so that they can be trusted; skipped without $DFINE_OFFICIAL."""
import json
import os
import sys

if not os.environ.get("DFINE_OFFICIAL"):
    print("skipped: DFINE_OFFICIAL is not set (a checkout of Peterande/D-FINE with its requirements)")
    sys.exit()
import make_class_heads  # noqa: E402
import make_autocast  # noqa: E402
import make_criterion  # noqa: E402
import make_denoising  # noqa: E402
import make_evaluation  # noqa: E402
import make_parameter_groups  # noqa: E402
import make_parity  # noqa: E402
import make_recipes  # noqa: E402
import make_trajectory  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402


def load(name):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name)) as f:
        return json.load(f)


def compare(where, stored, found, tolerance):
    """Nested figures, equal up to a relative tolerance of the largest number in a list."""
    if isinstance(stored, dict):
        assert stored.keys() == found.keys(), where
        for key in stored:
            compare(f"{where}.{key}", stored[key], found[key], tolerance)
    elif isinstance(stored, list) and stored and isinstance(stored[0], float):
        scale = max(map(abs, stored))
        assert len(stored) == len(found) and all(abs(a - b) <= tolerance * scale for a, b in zip(stored, found)), f"{where}: {stored} {found}"
    elif isinstance(stored, float):
        assert abs(stored - found) <= tolerance * abs(stored), f"{where}: {stored} {found}"
    else:
        assert stored == found, where


def main():
    torch.set_num_threads(1)
    stored = load("criterion.json")
    for name, case in make_criterion.CASES.items():
        for dtype, key, tolerance in ((torch.float64, "float64", 1e-9), (torch.float32, "float32", 1e-5)):
            found = make_criterion.run(dtype, **case)
            assert found.pop("go") == stored[name]["go"], name
            compare(f"{name}.{key}", stored[name][key], found, tolerance)
    compare("class_heads", load("class_heads.json"), make_class_heads.collect(), 0)
    stored = load("denoising.json")
    for name, case in make_denoising.CASES.items():
        compare(name, stored[name], make_denoising.run(*case), 1e-5)
    stored = load("parity.json")["sizes"]["n"]
    terms, _ = make_parity.run("n", stored["res"], torch.float64, **make_parity.EXACT)
    compare("parity n", stored["exact"]["losses"], terms, 1e-9)
    for name, case in make_parity.MORE.items():
        terms, grads = make_parity.run("n", stored["res"], torch.float64, **case)
        figures = stored["more"][name]
        compare(f"parity n {name}", {**case, "losses64": figures["losses64"]}, {**case, "losses64": terms}, 1e-9)
        compare(f"parity n {name} gradients", figures["grads"], make_parity.total(grads), 1e-8)
    stored = load("evaluation.json")["sizes"]["n"]["320"]
    found = make_evaluation.case("n", 320, make_evaluation.measure("n"), stored["seed"])
    for key in ("logits", "mean_logits", "boxes", "mean_boxes"):
        distance = abs(np.array(stored[key]) - np.array(found[key])).max()
        assert distance <= (2e-5 if "logits" in key else 1e-6), f"evaluation n {key}: {distance}"
    assert stored["places"] == found["places"], "evaluation n places"
    compare("parameter_groups n", load("parameter_groups.json")["sizes"]["n"], make_parameter_groups.groups(make_parameter_groups.coco("n")), 0)
    recipes = load("recipes.json")
    for name, pattern in make_recipes.FILES.items():
        compare(f"recipes {name} n", recipes["recipes"][name]["n"], make_recipes.recipe(pattern.format("n"), "n"), 0)
    compare("recipes fixed", recipes["fixed"], make_recipes.fixed(make_recipes.FILES["coco"].format("n")), 0)
    stored = load("trajectory.json")
    found = make_trajectory.run(torch.float64, 1, steps=3)
    compare("trajectory", {k: v[:3] for k, v in stored["losses"].items()}, {k: [t[k] for t in found["losses"]] for k in found["losses"][0]}, 1e-8)
    compare("trajectory norms", stored["norms"][:3], found["norms"], 1e-8)
    stored = load("autocast.json")["sizes"]["n"]
    found = {"res": stored["res"], **make_autocast.errors("n", stored["res"])}
    compare("autocast n", stored, found, 0.05)  # rounding differs from one processor to the next
    print("the official code gives the stored figures")


if __name__ == "__main__":
    main()
