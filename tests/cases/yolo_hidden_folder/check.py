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
        assert json.load(f)["totals"]["images"] == 2
    assert "images without boxes: 0" in out, out
    assert "hidden files and folders, not packed: 1\n" in out and ".ipynb_checkpoints\n" in out, out
    with open(case("OUT", "report.html"), encoding="utf-8") as f:
        assert ".ipynb_checkpoints" in f.read()
