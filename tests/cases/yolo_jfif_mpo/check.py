import json


def check(case):
    out = case.run(
        "dfine-pack",
        "--format",
        "yolo",
        "--annotations",
        "data.yaml",
        "--split",
        "train",
        "--output",
        case("OUT"),
    )
    with open(case("OUT", "manifest.json"), encoding="utf-8") as f:
        totals = json.load(f)["totals"]
    assert (totals["images"], totals["boxes"]) == (
        5,
        5,
    ), totals  # one line in each of the five label files
    assert (
        "images without boxes: 0" in out and "not used" not in out and "not packed" not in out
    ), out
