"""Our COCO evaluation against pycocotools on random cases, small and odd, and on some large ones.

  differential_test.py CASES [--large]
"""
import sys
import time

import numpy as np
from coco_compare import Comparison, Settings
from pycocotools_test import overlapping_case, random_case

ENDS = [32.0**2, 96.0**2, 1e10]  # of the area ranges


def settings_of(rng):
    if rng.random() < 0.5:
        return Settings(class_agnostic=bool(rng.random() < 0.15))
    ious = limits = None
    if rng.random() < 0.7:
        pools = [rng.random(12), np.arange(1, 21) / 20, np.array([0.5, 0.75, 1.0])]
        pool = rng.choice(pools[rng.integers(3)], size=3, replace=False)
        ious = [float(t) for t in np.maximum(pool[: rng.integers(1, 4)], 1e-3)]
    if rng.random() < 0.7:
        pool = rng.choice([1, 2, 3, 5, 10, 50, 100, 120, 500], rng.integers(1, 6), replace=False)
        limits = sorted(int(n) for n in pool)
    return Settings(ious, limits, bool(rng.random() < 0.3))


class Grid:
    """Boxes on a coarse grid, of few sizes: their overlaps, areas and scores tie."""

    def __init__(self, rng):
        self.rng = rng
        self.sides = rng.choice([[32, 96], [8, 16, 24], [31, 32, 33, 95, 96, 97], [0, 10, 20],
                                 [100000, 50000]][rng.integers(5)], 3).astype(float)
        self.step = float(rng.choice([1, 4, 8, self.sides.max() / 2 or 1]))

    def box(self):
        x, y = self.rng.integers(0, 6, 2) * self.step
        return [float(x), float(y), float(self.rng.choice(self.sides)),
                float(self.rng.choice(self.sides))]


def tiny_case(rng):
    """A few images, with everything that the format allows."""
    grid = Grid(rng)
    images = [int(i) for i in rng.choice(50, rng.integers(1, 5), replace=False)]
    classes = [int(c) for c in rng.choice(12, rng.integers(1, 4), replace=False)]
    truth = {"images": [{"id": i} for i in images], "annotations": [],
             "categories": [{"id": c, "name": f"class {c}"} for c in classes]}
    crowds, absent = rng.choice([0, 0.1, 0.5]), rng.random() < 0.3
    for _ in range(rng.integers(0, 13)):
        box = grid.box()
        area = [box[2] * box[3], float(rng.choice(ENDS)), float(rng.random() * 2e4),
                0.0][rng.integers(4)]
        truth["annotations"].append({
            "image_id": images[rng.integers(len(images) if rng.random() < 0.8 else 1)],
            "category_id": classes[0] if absent else int(rng.choice(classes)),
            "bbox": box, "area": area, "iscrowd": int(rng.random() < crowds)})
    if truth["annotations"] and rng.random() < 0.2:
        truth["annotations"].append(dict(truth["annotations"][0]))  # the same box again
    ids = rng.permutation(len(truth["annotations"])) + int(rng.choice([0, 1, 7, -3]))
    for annotation, number in zip(truth["annotations"], ids):
        annotation["id"] = int(number)
    results = []
    steps = rng.choice([2, 5, 1000])
    count = rng.integers(0, 25) if rng.random() < 0.95 else rng.integers(100, 260)
    for _ in range(count):
        box = grid.box()
        if truth["annotations"] and rng.random() < 0.5:
            box = list(truth["annotations"][rng.integers(len(truth["annotations"]))]["bbox"])
            if rng.random() < 0.5:
                box[rng.integers(4)] += float(rng.choice([-1, 1])) * grid.step
        score = float(rng.integers(-1 if rng.random() < 0.05 else 0, steps + 1) / steps)
        results.append({"image_id": int(rng.choice(images)), "category_id":
                        int(rng.choice(classes)) if rng.random() < 0.97 else 99,
                        "bbox": box, "score": -0.0 if score == 0 and rng.random() < 0.3
                        else score})
    return truth, results


def case(rng, seed):
    kind = rng.random()
    if kind < 0.8:
        return tiny_case(rng)
    if kind < 0.9:
        return overlapping_case(seed, images=int(rng.integers(1, 6)))
    return random_case(seed, images=int(rng.integers(1, 8)), classes=int(rng.integers(2, 5)),
                       quantum=rng.choice([None, 16]), score_steps=rng.choice([None, 5]),
                       crowds=rng.choice([0.1, 0.6]), ids_from=int(rng.choice([0, 1, -20])))


def main():
    cases, start = int(sys.argv[1]), time.time()
    with Comparison() as comparison:
        for seed in range(cases):
            rng = np.random.default_rng(seed)
            comparison.compare(f"case {seed}", *case(rng, seed), settings_of(rng), threads=(1,))
        if "--large" in sys.argv:
            for seed, arguments in enumerate((
                    {"images": 1500, "classes": 20}, {"images": 800, "classes": 60, "boxes": 25},
                    {"images": 1000, "classes": 5, "quantum": 8, "score_steps": 50},
                    {"images": 30, "classes": 2, "boxes": 300, "detections": 900})):
                truth, results = random_case(10**6 + seed, **arguments)
                comparison.compare(f"large {arguments}", truth, results)
                comparison.compare(f"large {arguments}", truth, results,
                                   Settings(limits=[1, 10, 100, 500], class_agnostic=seed % 2 == 0))
        print(f"{comparison.cases} cases, {comparison.values:,} values equal to the last bit, "
              f"{time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
