import hashlib
import os


def check(case):
    out = case.pack("--val-fraction", "0.5")
    case.run("dfine-pack", "extract", case("OUT", "train"), "--output", case("train"))
    case.run("dfine-pack", "extract", case("OUT", "val"), "--output", case("val"))

    def contents(side):
        folder = case(side, "images")
        return [
            hashlib.sha256(open(os.path.join(folder, name), "rb").read()).hexdigest()
            for name in os.listdir(folder)
        ]

    train, val = contents("train"), contents("val")
    leaked = sum(content in train for content in val)
    assert (
        len(train) == len(val) == 5 and leaked >= 1
    )  # five pairs cannot be divided so that each stays on one side
    warning = f"{leaked} images of val are in train too, byte for byte"
    assert f"warning: {warning}\n" in out, out
    for side in ("train", "val"):
        assert warning in case.text("OUT", side, "report.html")
