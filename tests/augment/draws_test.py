"""10,000 draws of every parameter against closed forms, and against torchvision's own draws
(make_params) where those have none.

Each comparison raises an alarm at a p-value below 1e-6. With fewer than 100 comparisons, draws of
the right distribution would fail this test once in 10,000 choices of the seeds. The seeds are
fixed, so it does not fail by chance at all.
"""
import sys

import numpy as np
import torch
import torchvision.transforms.v2 as T
from scipy import stats
from torchvision import tv_tensors

from reference import Probe

COUNT = 10_000
THEIRS = 4_000  # of torchvision's own draws, which take their time
ALARM = 1e-6
WIDTH, HEIGHT = 640, 480
BOXES = [[30, 40, 210, 160, 0], [300, 200, 620, 470, 1], [100, 300, 140, 350, 2],
         [500, 20, 560, 60, 3]]


class Alarms:
    def __init__(self):
        self.comparisons = self.raised = 0

    def check(self, what, p_value):
        self.comparisons += 1
        print(f"{what}: p {p_value:.3g}")
        if not p_value > ALARM:
            print("  FAILED")
            self.raised += 1

    def chance(self, what, happened, probability):
        self.check(what, stats.binomtest(int(np.sum(happened)), len(happened), probability).pvalue)

    def alike(self, what, values, choices):
        counts = [sum(v == choice for v in values) for choice in choices]
        assert sum(counts) == len(values), what
        self.check(what, stats.chisquare(counts).pvalue)

    def uniform(self, what, values, low, high):
        values = np.asarray(values, float)
        assert len(values) > COUNT / 4 and values.min() >= low and values.max() <= high, what
        self.check(what, stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue)

    def same(self, what, ours, theirs):
        self.check(what, stats.ks_2samp(ours, theirs, method="asymp").pvalue)


def present(draws, name):
    return [d[name] for d in draws if d[name] is not None]


def check_closed_forms(alarms, draws):
    for name, low, high in [("brightness", 0.875, 1.125), ("contrast", 0.5, 1.5),
                            ("saturation", 0.5, 1.5), ("hue", -0.05, 0.05)]:
        alarms.chance(name, [d[name] is not None for d in draws], 0.5)
        alarms.uniform(f"{name}, value", present(draws, name), low, high)
    both = [(d["brightness"] is not None) == (d["hue"] is not None) for d in draws]
    alarms.chance("brightness and hue independent", both, 0.5)
    alarms.chance("contrast first", [d["contrast_first"] for d in draws], 0.5)
    permutations = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    changed = [tuple(d["channels"]) for d in draws if tuple(d["channels"]) != permutations[0]]
    alarms.chance("channels change", [tuple(d["channels"]) != permutations[0] for d in draws],
                  0.5 * 5 / 6)
    alarms.alike("permutations of the channels", changed, permutations[1:])
    alarms.chance("flip", [d["flip"] for d in draws], 0.5)
    alarms.chance("flip and its neighbour's independent",
                  [a["flip"] == b["flip"] for a, b in zip(draws[::2], draws[1::2])], 0.5)
    alarms.chance("flip and zoom-out independent",
                  [d["flip"] == (d["canvas"][2] > WIDTH) for d in draws], 0.5)


def check_additions(alarms, draws):
    alarms.chance("rotation", [d["turns"] > 0 for d in draws], 0.6)
    alarms.alike("quarter turns", [d["turns"] for d in draws if d["turns"] > 0], [1, 2, 3])
    mosaics = present(draws, "mosaic")
    alarms.chance("mosaic", [d["mosaic"] is not None for d in draws], 0.7)
    alarms.uniform("mosaic, degrees", [m["degrees"] for m in mosaics], -10, 10)
    alarms.uniform("mosaic, scale", [m["scale"] for m in mosaics], 0.5, 1.5)
    for axis in range(2):
        alarms.uniform(f"mosaic, shift {axis}", [m["shift"][axis] for m in mosaics], -1, 1)
    for i in range(3):
        alarms.alike(f"mosaic, partner {i}", [m["partners"][i] for m in mosaics], range(10))
    mixups = present(draws, "mixup")
    alarms.chance("mixup", [d["mixup"] is not None for d in draws], 0.8)
    alarms.uniform("mixup, weight", [weight for weight, _ in mixups], 0.45, 0.55)
    alarms.alike("mixup, partner", [partner for _, partner in mixups], range(10))


def check_zoom_out(alarms, draws):
    torch.manual_seed(1)
    image = torch.zeros(3, HEIGHT, WIDTH, dtype=torch.uint8)
    transform = T.RandomZoomOut(fill=0, p=1)
    # left, top, right, bottom
    theirs = np.array([transform.make_params([image])["padding"] for _ in range(THEIRS)])
    zoomed = np.array([d["canvas"] for d in draws if d["canvas"] != [0, 0, WIDTH, HEIGHT]])
    alarms.chance("zoom-out", [d["canvas"] != [0, 0, WIDTH, HEIGHT] for d in draws], 0.5)
    for what, ours, reference in [
        ("canvas width", zoomed[:, 2], theirs[:, 0] + theirs[:, 2] + WIDTH),
        ("canvas height", zoomed[:, 3], theirs[:, 1] + theirs[:, 3] + HEIGHT),
        ("left", -zoomed[:, 0], theirs[:, 0]),
        ("top", -zoomed[:, 1], theirs[:, 1]),
        ("top less left", zoomed[:, 0] - zoomed[:, 1], theirs[:, 1] - theirs[:, 0]),
    ]:
        alarms.same(f"zoom-out, {what}", ours, reference)


def check_iou_crop(alarms, draws):
    torch.manual_seed(2)
    image = tv_tensors.Image(torch.zeros(3, HEIGHT, WIDTH, dtype=torch.uint8))
    boxes = tv_tensors.BoundingBoxes(torch.tensor(BOXES, dtype=torch.float32)[:, :4], format="XYXY",
                                     canvas_size=(HEIGHT, WIDTH))
    transform = T.RandomIoUCrop()
    params = [transform.make_params([image, boxes]) for _ in range(THEIRS)]
    kept = [p for p in params if p]
    ours = present(draws, "crop")
    cropped = [d["crop"] is not None for d in draws]
    table = [[sum(cropped), COUNT - sum(cropped)], [len(kept), THEIRS - len(kept)]]
    alarms.check("crop or not", stats.chi2_contingency(table).pvalue)
    theirs = np.array([[p["left"], p["top"], p["width"], p["height"]] for p in kept], float)
    mine = np.array(ours, float)
    measures = {"left": lambda c: c[:, 0], "top": lambda c: c[:, 1], "width": lambda c: c[:, 2],
                "height": lambda c: c[:, 3],
                "right": lambda c: c[:, 0] + c[:, 2], "bottom": lambda c: c[:, 1] + c[:, 3],
                "aspect": lambda c: c[:, 2] / c[:, 3],
                "area": lambda c: c[:, 2] * c[:, 3]}
    for name, measure in measures.items():
        alarms.same(f"crop, {name}", measure(mine), measure(theirs))


def main():
    probe = Probe()
    common = {"count": COUNT, "width": WIDTH, "height": HEIGHT, "boxes": BOXES}
    crops = ["augment.zoom_out=0", "augment.iou_crop=1"]
    probe.add("draws", set=[], seed=11, **common)
    probe.add("draws", set=["augment.rotate=0.6", "augment.mosaic=0.7", "augment.mixup=0.8"],
              seed=12, **common)
    probe.add("draws", set=crops, seed=13, **common)
    probe.add("draws", set=["augment.zoom_out=0", "augment.iou_crop=0.8",
                            "augment.iou_crop_overlaps=[0,0,0,1]"], seed=14, **common)
    probe.add("draws", set=["augment.iou_crop=1"], seed=15, **common | {"boxes": []})
    results = [printed for printed, _ in probe.run()]
    alarms = Alarms()
    check_closed_forms(alarms, results[0])
    check_additions(alarms, results[1])
    check_zoom_out(alarms, results[0])
    check_iou_crop(alarms, results[2])
    # With any overlap good enough a crop is practically always found: 0.8 * 3/4.
    alarms.chance("crop, probability", [d["crop"] is not None for d in results[3]], 0.6)
    if any(d["crop"] is not None for d in results[4]):
        print("an image without boxes was cropped: FAILED")
        return 1
    print(f"{alarms.comparisons} comparisons, {alarms.raised} alarms")
    assert alarms.comparisons < 100
    return 1 if alarms.raised else 0


if __name__ == "__main__":
    sys.exit(main())
