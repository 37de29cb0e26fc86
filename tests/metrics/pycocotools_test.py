"""Our COCO evaluation against pycocotools on cases that are known to be difficult."""
import json
import os
from pathlib import Path

import numpy as np
from coco_compare import Comparison, Settings

BCCD = Path(os.environ["DFINE_SOURCE_DIR"]) / "tests/data/bccd"


def random_case(seed, images=40, classes=6, boxes=6, detections=15, quantum=None, score_steps=None,
                crowds=0.1, ids_from=1, big=False):
    """`quantum` rounds coordinates and `score_steps` scores, so that overlaps and scores tie."""
    rng = np.random.default_rng(seed)
    size = 3000.0 if big else 640.0

    def box():
        w, h = np.exp(rng.uniform(np.log(4), np.log(size / 2), 2))
        x, y = rng.uniform(0, size - w), rng.uniform(0, size - h)
        values = np.array([x, y, w, h])
        if quantum:
            values = np.maximum(np.round(values / quantum) * quantum, [0, 0, quantum, quantum])
        return [float(v) for v in values]

    def score():
        value = rng.random()
        return float(np.round(value * score_steps) / score_steps) if score_steps else float(value)

    # sparse, unordered, perhaps 0
    image_ids = [int(i) for i in rng.permutation(10 * images)[:images]]
    category_ids = [int(i) for i in rng.permutation(5 * classes)[:classes]]
    truth = {"images": [{"id": i, "width": int(size), "height": int(size)} for i in image_ids],
             "categories": [{"id": c, "name": f"class {c}"} for c in category_ids],
             "annotations": []}
    for image in image_ids[: images - images // 5]:  # the rest stay empty
        for _ in range(rng.integers(0, boxes + 1)):
            b = box()
            area = b[2] * b[3] if rng.random() < 0.4 else float(b[2] * b[3] * rng.uniform(0.3, 1.2))
            if rng.random() < 0.1:
                # the very ends of the ranges, and beyond
                area = float(rng.choice([32**2, 96**2, 1e10, 1e10 * 1.5, 0]))
            # one has none
            truth["annotations"].append(
                {"image_id": image, "category_id": int(rng.choice(category_ids[: classes - 1])),
                 "bbox": b, "area": area, "iscrowd": int(rng.random() < crowds)})
    for number, k in enumerate(rng.permutation(len(truth["annotations"]))):
        truth["annotations"][k]["id"] = int(number) * 3 + ids_from
    results = []
    by_image = {}
    for annotation in truth["annotations"]:
        by_image.setdefault(annotation["image_id"], []).append(annotation)
    for image in rng.permutation(image_ids):
        near = by_image.get(int(image), [])
        for _ in range(rng.integers(0, 2 * detections + 1)):
            category = int(rng.choice(category_ids))
            b = box()
            if near and rng.random() < 0.6:
                target = near[rng.integers(len(near))]
                noise = rng.normal(0, rng.choice([0.0, 0.02, 0.1]),
                                   4) * np.repeat(np.array(target["bbox"])[2:][None], 2, 0).ravel()
                b = [float(v) for v in np.array(target["bbox"]) + noise]
                if quantum:
                    b = [float(np.round(v / quantum) * quantum) for v in b]
                if rng.random() < 0.9:
                    category = target["category_id"]
            results.append({"image_id": int(image), "category_id": category,
                            "bbox": b, "score": score()})
    return truth, results


def overlapping_case(seed, images=60):
    """Boxes of one class that overlap each other in mirrored pairs, of every size and some crowds,
    and detections in the middle and on either. So there are equal overlaps with different boxes,
    and better overlaps with boxes that do not count.
    """
    rng = np.random.default_rng(seed)
    truth = {"images": [{"id": i + 1} for i in range(images)],
             "categories": [{"id": 1, "name": "a"}], "annotations": []}
    results = []
    for image in range(1, images + 1):
        for _ in range(3):
            x, y, side = (float(v) for v in (rng.integers(100, 400),
                                             rng.integers(100, 400), rng.integers(20, 120)))
            shift = float(rng.integers(1, max(2, side // 3)))
            for sign in rng.permutation([-1.0, 1.0]):
                truth["annotations"].append({"id": len(truth["annotations"]) + 1,
                                             "image_id": image, "category_id": 1,
                                             "bbox": [x + sign * shift, y, side, side],
                                             "area": float(rng.choice([500, 1024, 5000, 20000])),
                                             "iscrowd": int(rng.random() < 0.15)})
            for offset in rng.permutation([0.0, 0.0, -shift, shift])[:3]:
                results.append({"image_id": image, "category_id": 1,
                                "bbox": [x + offset, y, side, side], "score": float(rng.random())})
    return truth, results


def jittered(truth, seed, copies=3):
    rng = np.random.default_rng(seed)
    results = []
    for a in truth["annotations"]:
        x, y, w, h = a["bbox"]
        for _ in range(copies):
            dx, dy, dw, dh = rng.normal(0, 0.08, 4)
            category = a["category_id"] if rng.random() < 0.9 else int(rng.integers(1, 4))
            results.append({"image_id": a["image_id"], "category_id": category,
                            "score": float(np.float32(rng.random())),
                            "bbox": [x + dx * w, y + dy * h, w * (1 + dw), h * (1 + dh)]})
    return results


def main():
    with Comparison() as comparison:
        def compare(name, truth, detections, settings=None):
            ap = comparison.compare(name, truth, detections, settings)
            print(f"{name}: {len(truth['annotations'])} boxes, {len(detections)} detections, "
                  f"AP {ap:.4f}")

        for seed in range(6):
            compare(f"random {seed}", *random_case(seed))
            compare(f"ties {seed}", *random_case(100 + seed, quantum=16, score_steps=5))
            compare(f"overlapping {seed}", *overlapping_case(300 + seed))
        compare("many detections",
                *random_case(200, images=6, classes=2, boxes=30, detections=250, score_steps=40))
        compare("crowds", *random_case(201, crowds=0.6))
        compare("ids from 0", *random_case(202, ids_from=0, boxes=2, classes=3))
        compare("negative ids", *random_case(203, ids_from=-60))
        compare("large images", *random_case(204, big=True))
        compare("one class",
                *random_case(205, classes=2, images=300, boxes=3, detections=5))

        truth, results = random_case(206)
        compare("no detections", truth, [])
        compare("no boxes", {**truth, "annotations": []}, results)
        compare("nothing", {**truth, "annotations": []}, [])
        compare("no categories", {**truth, "categories": []}, results)
        strangers = [{**r, "category_id": r["category_id"] if i % 3 else 999}
                     for i, r in enumerate(results)]
        compare("unknown categories", truth, strangers)
        orphans = [{**a, "image_id": 10**6} if i % 4 == 0 else a
                   for i, a in enumerate(truth["annotations"])]
        compare("annotations on unlisted images", {**truth, "annotations": orphans}, results)
        # pycocotools overwrites it by iscrowd
        ignored = [{**a, "ignore": 1} for a in truth["annotations"]]
        compare("ignore flags", {**truth, "annotations": ignored}, results)
        odd = [{**r, "bbox": [r["bbox"][0], r["bbox"][1], s * r["bbox"][2], t * r["bbox"][3]]}
               for r in results for s, t in ((1, 1), (-1, 1), (-1, -1), (0, 1))]
        compare("degenerate detections", truth, odd)
        whole = [{**r, "score": int(r["score"] > 0.5), "bbox": [int(v) for v in r["bbox"]]}
                 for r in results]
        compare("integers", truth, whole)
        tiny = [{**a, "bbox": [0, 0, 1e-200, 1e-200], "area": 0} for a in truth["annotations"]]
        compare("areas that underflow", {**truth, "annotations": tiny},
                [{**r, "bbox": [0, 0, 1e-200, 1e-200]} for r in results])

        dense = random_case(207, images=5, classes=2, boxes=150, detections=700, quantum=4)
        compare("dense", *dense, Settings(limits=[1, 10, 100, 500]))
        compare("dense, no classes", *dense, Settings(limits=[100, 300], class_agnostic=True))
        compare("other thresholds", *random_case(208, quantum=8),
                Settings(ious=[0.75, 0.3, 0.5, 1.0, 0.05]))
        compare("one threshold", *random_case(209), Settings(ious=[0.5], limits=[2]))
        compare("32 thresholds", *overlapping_case(310),
                Settings(ious=[float(t) for t in np.linspace(0.03, 0.96, 32)]))
        compare("no classes", *random_case(210, quantum=16, score_steps=5),
                Settings(class_agnostic=True))

        for part in ("train", "val"):
            truth = json.loads((BCCD / f"{part}.json").read_text())
            compare(f"blood cells, {part}", truth, jittered(truth, 7))


if __name__ == "__main__":
    main()
