"""Makes val_loss.json: the loss of the final prediction over a whole dataset by the official code,
and the dataset.

    DFINE_OFFICIAL=checkout-of-Peterande/D-FINE python make_val_loss.py

D-FINE-N in evaluation with the weights of make_evaluation.py; every token is a query. The official
criterion is given all images as one batch and the final prediction alone, whose matching is then
the union of matchings too. It divides loss_vfl by the number of boxes, loss_bbox and loss_giou by
the number of matched pairs. An image with more boxes than queries has more boxes than pairs. What
is a target (no crowds, no boxes without area) is decided by the official dataset's preparation.

The annotations are stored as a COCO file. The images, as large as the network's input so that
nothing is resized, come from a formula: tests/eval/val_loss_test.cpp is the twin.
"""
import json
import os
import sys
from types import SimpleNamespace

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import numpy as np  # noqa: E402
import official  # noqa: E402
import torch  # noqa: E402
from hashed import uniform  # noqa: E402
from make_evaluation import make_parts  # noqa: E402
from make_parity import CLASSES, make_images, measure, tokens  # noqa: E402
from src.data.dataset.coco_dataset import ConvertCocoPolysToMask  # noqa: E402

SIZE, RES = "n", 96
COUNTS = [0, 1, 3, 5, 1, 2, 8, 60]  # boxes; the last image has more than there are queries
CROWDS = {1: 0, 3: 4}               # image: box that is a crowd; the second image has no other
CASES = {"no_boxes": 2, "boxes": 7, "more_boxes_than_queries": 8}  # N: the first N images


def annotations():
    """COCO; boxes on quarters of pixels, so that their pixels are exact in float32."""
    total = sum(COUNTS)
    quarters = np.floor(uniform(33, total, 2) * 4 * 0.5 * RES) / 4 + 2
    corners = np.floor(uniform(34, total, 2) * 4 * (RES - quarters)) / 4
    labels = np.floor(uniform(35, total) * CLASSES).astype(int)
    boxes, k = [], 0
    for image, count in enumerate(COUNTS):
        for place in range(count):
            boxes.append({"id": k + 1, "image_id": image + 1, "category_id": int(labels[k]) + 1,
                          "bbox": [*corners[k].tolist(), *quarters[k].tolist()],
                          "area": float(quarters[k].prod()),
                          "iscrowd": int(CROWDS.get(image) == place)})
            k += 1
    images = [{"id": i + 1, "file_name": f"{i}.png", "width": RES, "height": RES}
              for i in range(len(COUNTS))]
    categories = [{"id": c + 1, "name": f"class {c}"} for c in range(CLASSES)]
    return {"images": images, "annotations": boxes, "categories": categories}


def targets(coco, dtype):
    prepare, found = ConvertCocoPolysToMask(), []
    labels = {c["id"]: i for i, c in enumerate(coco["categories"])}
    for image in coco["images"]:
        own = [a for a in coco["annotations"] if a["image_id"] == image["id"]]
        item = {"image_id": image["id"], "image_path": "", "annotations": own}
        _, target = prepare(SimpleNamespace(size=(RES, RES)), item, category2label=labels)
        x0, y0, x1, y1 = (target["boxes"].to(dtype) / RES).unbind(1)
        boxes = torch.stack([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0], 1)
        found.append({"labels": target["labels"], "boxes": boxes})
    return found


@torch.no_grad()
def losses(dtype, statistics, coco):
    """Terms of each of CASES."""
    with official.exact_order_and_precision(dtype):
        model, criterion = make_parts(SIZE, RES, dtype, statistics, queries=tokens(SIZE, RES))
        pixels = torch.floor(256 * make_images(len(COUNTS), RES, torch.float64, seed=30))
        output, found = model(pixels.to(dtype) / 255), {}
        for name, count in CASES.items():
            head = {k: output[k][:count] for k in ("pred_logits", "pred_boxes")}
            alone = {**head, "aux_outputs": [], "pre_outputs": head, "enc_aux_outputs": [],
                     "enc_meta": {"class_agnostic": False}}
            terms = criterion(alone, targets(coco, dtype)[:count])
            found[name] = {k: terms[k].item() for k in ("loss_vfl", "loss_bbox", "loss_giou")}
    return found


def collect():
    torch.set_num_threads(1)
    coco, statistics = annotations(), measure(SIZE)
    exact, single = (losses(dtype, statistics, coco) for dtype in (torch.float64, torch.float32))
    cases = {k: {"images": CASES[k], "losses64": exact[k], "losses": single[k]} for k in CASES}
    return {"size": SIZE, "res": RES, "queries": tokens(SIZE, RES), "coco": coco, "cases": cases}


def main():
    found = collect()
    for name, case in found["cases"].items():
        print(name, case, sum(case["losses"].values()) / sum(case["losses64"].values()) - 1)
    with open(os.path.join(HERE, "val_loss.json"), "w") as f:
        json.dump(found, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
