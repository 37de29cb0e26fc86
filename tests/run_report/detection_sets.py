"""Random ground truth and detections, and what must be counted of them: by pycocotools, and by a
plain greedy matching for the confusion matrix.
"""
import contextlib
import io
import json

import numpy as np
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def random_set(folder, images, boxes, detections, classes, seed, names=None, files=None,
               crowds=True, floats=False, pictures=0):
    """Writes val.json, predictions.json and some pictures. `boxes` and `detections`: of an image on
    average. `floats`: scores that a float holds; else thousandths, many of them equal.
    """
    rng = np.random.default_rng(seed)
    sizes = rng.integers(200, 900, (images, 2))
    ids = rng.permutation(10 * images)[:images] + 1
    image_list = [{"id": int(i), "file_name": files[k] if files else f"{int(i):012}.jpg",
                   "width": int(w), "height": int(h)}
                  for k, (i, (w, h)) in enumerate(zip(ids, sizes))]
    categories = [{"id": 3 * k + 1, "name": names[k] if names else f"class {k}"}
                  for k in range(classes)]
    annotations, results = [], []
    for image, (w, h) in zip(image_list, sizes):
        count = rng.poisson(boxes)
        wh = np.exp(rng.uniform(np.log(10), np.log(180), (count, 2)))
        xy = rng.uniform(0, 1, (count, 2)) * (np.array([w, h]) - wh).clip(1)
        of = rng.integers(0, classes, count)
        crowd = rng.random(count) < (0.05 if crowds else 0)
        for k in range(count):
            annotations.append({"id": len(annotations) + 1, "image_id": image["id"],
                                "category_id": categories[of[k]]["id"],
                                "bbox": [round(float(v), 2) for v in (*xy[k], *wh[k])],
                                "area": round(float(wh[k].prod()), 2), "iscrowd": int(crowd[k])})
        made = rng.poisson(detections)
        near = rng.random(made) < 0.7 if count else np.zeros(made, bool)
        base = rng.integers(0, max(count, 1), made)
        dwh = np.exp(rng.uniform(np.log(8), np.log(200), (made, 2)))
        dxy = rng.uniform(0, 1, (made, 2)) * (np.array([w, h]) - dwh).clip(1)
        dof = rng.integers(0, classes, made)
        if count:
            shift = rng.normal(0, 0.12, (made, 2)) * wh[base]
            dxy = np.where(near[:, None], xy[base] + shift, dxy)
            dwh = np.where(near[:, None], wh[base] * np.exp(rng.normal(0, 0.15, (made, 2))), dwh)
            dof = np.where(near & (rng.random(made) < 0.85), of[base], dof)
        score = np.where(near, rng.beta(2, 3, made), rng.beta(1, 6, made))
        score = score.astype(np.float32) if floats else np.round(score, 3)
        for k in range(made):
            results.append({"image_id": image["id"], "category_id": categories[dof[k]]["id"],
                            "bbox": [round(float(v), 2) for v in (*dxy[k], *dwh[k])],
                            "score": float(score[k])})
    for image in image_list[:pictures]:
        pixels = rng.integers(0, 255, (image["height"] // 8 + 1, image["width"] // 8 + 1, 3))
        picture = Image.fromarray(pixels.astype(np.uint8)).resize(
            (image["width"], image["height"]))
        path = folder / "images" / image["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, quality=60)
    (folder / "val.json").write_text(json.dumps(
        {"images": image_list, "categories": categories, "annotations": annotations}))
    (folder / "predictions.json").write_text(json.dumps(results))


class Expected:
    """By pycocotools and plain Python."""

    def __init__(self, folder):
        with contextlib.redirect_stdout(io.StringIO()):
            truth = COCO(str(folder / "val.json"))
            evaluator = COCOeval(truth, truth.loadRes(str(folder / "predictions.json")), "bbox")
            evaluator.evaluate()
            evaluator.accumulate()
            evaluator.summarize()
        self.stats = evaluator.stats
        self.categories = sorted(truth.getCatIds())
        self.place = {c: k for k, c in enumerate(self.categories)}
        classes = len(self.categories)
        scores, right, of, self.positives = [], [], [], np.zeros(classes, int)
        for entry in evaluator.evalImgs:
            if entry is None or entry["aRng"] != evaluator.params.areaRng[0]:
                continue
            k = self.place[entry["category_id"]]
            self.positives[k] += int((~np.array(entry["gtIgnore"], bool)).sum())
            counts = ~np.array(entry["dtIgnore"][0], bool)
            scores += list(np.array(entry["dtScores"])[counts])
            right += list(np.array(entry["dtMatches"][0])[counts] > 0)
            of += [k] * int(counts.sum())
        self.scores, self.right, self.of = np.array(scores), np.array(right, bool), np.array(of)
        self.truth = json.loads((folder / "val.json").read_text())
        self.detections = json.loads((folder / "predictions.json").read_text())

    def counts(self, thresholds):
        """([classes] TP, FP, FN) at a threshold for each class."""
        keep = self.scores >= np.asarray(thresholds)[self.of]
        classes = len(self.categories)
        tp = np.bincount(self.of[keep & self.right], minlength=classes)
        fp = np.bincount(self.of[keep & ~self.right], minlength=classes)
        return tp, fp, self.positives - tp

    def matrix(self, thresholds):
        """[classes + 1, classes + 1]. Each detection takes the free box with the highest IoU, if
        that is at least 0.5. Of equal ones that of its class goes first, then the first one.
        """
        side = len(self.categories) + 1
        out = np.zeros((side, side), int)
        boxes, found = {}, {}
        for a in self.truth["annotations"]:
            boxes.setdefault(a["image_id"], []).append(a)
        for d in self.detections:
            found.setdefault(d["image_id"], []).append(d)
        for image in self.truth["images"]:
            mine = boxes.get(image["id"], [])
            taken, kept = set(), {}
            for d in sorted(found.get(image["id"], []), key=lambda one: -one["score"]):
                k = self.place[d["category_id"]]
                kept[k] = kept.get(k, 0) + 1
                if kept[k] > 100 or d["score"] < thresholds[k]:
                    continue
                best, chosen = None, None
                for i, a in enumerate(mine):
                    if i in taken or a["iscrowd"]:
                        continue
                    iou = overlap(d["bbox"], a["bbox"], False)
                    rank = (iou, a["category_id"] == d["category_id"], -i)
                    if iou >= 0.5 and (best is None or rank > best):
                        best, chosen = rank, i
                if chosen is not None:
                    taken.add(chosen)
                    out[self.place[mine[chosen]["category_id"]], k] += 1
                elif not any(a["iscrowd"] and overlap(d["bbox"], a["bbox"], True) >= 0.5
                             for a in mine):
                    out[-1, k] += 1
            for i, a in enumerate(mine):
                if i not in taken and not a["iscrowd"]:
                    out[self.place[a["category_id"]], -1] += 1
        return out


def overlap(d, g, crowd):
    w = min(d[0] + d[2], g[0] + g[2]) - max(d[0], g[0])
    h = min(d[1] + d[3], g[1] + g[3]) - max(d[1], g[1])
    if w <= 0 or h <= 0:
        return 0
    return w * h / (d[2] * d[3] if crowd else d[2] * d[3] + g[2] * g[3] - w * h)
