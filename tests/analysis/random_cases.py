"""Random ground truths and detections for the tests of src/analysis, and our results on them."""
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

DUMP = Path(os.environ["DFINE_BINARY_DIR"]) / "analysis_dump"
BCCD = Path(os.environ["DFINE_SOURCE_DIR"]) / "tests/data/bccd"


def random_case(seed, images=10, classes=4, boxes=6, detections=12, grid=None, score_steps=None,
                crowds=0.15, first_id=1):
    """`grid` rounds coordinates and `score_steps` scores, so that overlaps and scores tie. The last
    class has no box, the last images have none either.
    """
    rng = np.random.default_rng(seed)
    size = 200.0

    def rounded(values):
        if grid:
            values = np.maximum(np.round(np.array(values) / grid) * grid, [0, 0, grid, grid])
        return [float(v) for v in values]

    def random_box():
        w, h = np.exp(rng.uniform(np.log(10), np.log(size / 2), 2))
        return rounded([rng.uniform(0, size - w), rng.uniform(0, size - h), w, h])

    image_ids = [int(i) for i in rng.permutation(10 * images)[:images]]
    category_ids = [int(i) + 1 for i in rng.permutation(3 * classes)[:classes]]
    truth = {"images": [{"id": i, "file_name": f"{i}.jpg"} for i in image_ids],
             "categories": [{"id": c, "name": f"class {c}"} for c in category_ids],
             "annotations": []}
    for image in image_ids[: images - images // 4]:
        for _ in range(rng.integers(0, boxes + 1)):
            b = random_box()
            truth["annotations"].append(
                {"image_id": image, "bbox": b, "area": b[2] * b[3],
                 "category_id": int(rng.choice(category_ids[: max(1, classes - 1)])),
                 "iscrowd": int(rng.random() < crowds)})
    for number, k in enumerate(rng.permutation(len(truth["annotations"]))):
        truth["annotations"][k]["id"] = int(number) * 3 + first_id
    by_image = {}
    for annotation in truth["annotations"]:
        by_image.setdefault(annotation["image_id"], []).append(annotation)
    results = []
    for image in rng.permutation(image_ids):
        near = by_image.get(int(image), [])
        for _ in range(rng.integers(0, 2 * detections + 1)):
            b, category, score = random_box(), int(rng.choice(category_ids)), rng.random()
            if near and rng.random() < 0.75:
                target = near[rng.integers(len(near))]
                x, y, w, h = target["bbox"]
                noise = rng.normal(0, rng.choice([0.0, 0.05, 0.2, 0.5]), 4)
                b = rounded([x + noise[0] * w, y + noise[1] * h,
                             w * np.exp(noise[2]), h * np.exp(noise[3])])
                if rng.random() < 0.75:
                    category = target["category_id"]
                score = score ** 0.5
            if score_steps:
                score = np.round(score * score_steps) / score_steps
            results.append({"image_id": int(image), "category_id": category, "bbox": b,
                            "score": float(score)})
    return truth, results


def jittered(truth, seed, copies):
    """Detections near the boxes of `truth`, the better the higher their score."""
    rng = np.random.default_rng(seed)
    categories = [c["id"] for c in truth["categories"]]
    results = []
    for a in truth["annotations"]:
        x, y, w, h = a["bbox"]
        for _ in range(copies):
            score = float(np.float32(rng.random()))
            dx, dy, dw, dh = rng.normal(0, 0.3 * (1.05 - score), 4)
            category = a["category_id"] if rng.random() < 0.8 else int(rng.choice(categories))
            results.append({"image_id": a["image_id"], "category_id": category, "score": score,
                            "bbox": [x + dx * w, y + dy * h, w * np.exp(dw), h * np.exp(dh)]})
    return results


def all_cases(count):
    """[name, truth, detections]: `count` random ones, the empty ones, and blood cells."""
    kinds = [{}, {"grid": 10, "score_steps": 8}, {"score_steps": 20}, {"crowds": 0.6},
             {"grid": 25, "boxes": 12, "classes": 2},
             {"images": 3, "classes": 2, "boxes": 30, "detections": 250, "score_steps": 40},
             {"images": 1, "classes": 1}]
    cases = [(f"random {i}", *random_case(i, **kinds[i % len(kinds)])) for i in range(count)]
    truth, results = random_case(count)
    plain = {**truth, "annotations": [{**a, "iscrowd": 0} for a in truth["annotations"]]}
    cases += [("no detections", plain, []), ("no boxes", {**truth, "annotations": []}, results),
              ("negative scores", truth, [{**r, "score": r["score"] - 0.5} for r in results]),
              ("percent", truth, [{**r, "score": 100 * r["score"]} for r in results]),
              ("all equal", truth, [{**r, "score": 0.5} for r in results])]
    for part in ("train", "val"):
        truth = json.loads((BCCD / f"{part}.json").read_text())
        cases.append((f"blood cells, {part}", truth, jittered(truth, 7, 3)))
    return cases


def ours(folder, cases, threads, resamples):
    """What analysis_dump says of each case."""
    folders = []
    for number, (_, truth, results) in enumerate(cases):
        folders.append(folder / str(number))
        folders[-1].mkdir(exist_ok=True)
        (folders[-1] / "gt.json").write_text(json.dumps(truth))
        (folders[-1] / "dt.json").write_text(json.dumps(results))
    run = subprocess.run([DUMP, str(threads), str(resamples), *folders], capture_output=True,
                         text=True)
    if run.returncode != 0:
        sys.exit(f"analysis_dump failed: {run.stderr}")
    return [json.loads((f / "out.json").read_text()) for f in folders]
