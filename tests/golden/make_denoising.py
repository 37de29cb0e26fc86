"""Makes denoising.json: the official denoising queries for given draws (hashed.py), with their
attention mask.

    DFINE_OFFICIAL=checkout-of-Peterande/D-FINE python make_denoising.py
"""
import json
import os
import sys
from unittest import mock

import numpy as np

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.environ["DFINE_OFFICIAL"]]
import torch  # noqa: E402
from hashed import signed, uniform  # noqa: E402
from src.zoo.dfine.denoising import get_contrastive_denoising_training_group  # noqa: E402

CLASSES, QUERIES = 6, 3
CASES = {"several_images": ([3, 0, 5], 20), "one_box": ([1], 6), "fewer_than_boxes": ([7, 2], 5),
         "crowded": ([60], 100)}


def run(counts, num_denoising):
    total = sum(counts)
    boxes = torch.tensor(np.concatenate([0.5 + 0.45 * signed(1, total, 2),
                                         0.25 + 0.2 * signed(2, total, 2)], 1)).float()
    labels = torch.tensor(np.floor(uniform(3, total) * CLASSES).astype(np.int64))
    seen = {}

    def embed(ids):
        seen["labels"] = ids
        return ids

    def uniform_draw(x, **_):  # (B, N) for the labels, (B, N, 4) for the boxes
        return torch.tensor(uniform(10 + x.dim(), *x.shape)).float()

    def integer_draw(x, low, high, dtype=None, **_):
        return torch.tensor(np.floor(uniform(20 + x.dim(), *x.shape) * (high - low))
                            + low).to(dtype or x.dtype)

    with mock.patch.object(torch, "rand_like",
                           uniform_draw), mock.patch.object(torch, "randint_like", integer_draw):
        _, unact, mask, meta = get_contrastive_denoising_training_group(
            [{"labels": l, "boxes": b} for l, b in zip(labels.split(counts), boxes.split(counts))],
            CLASSES, QUERIES, embed,
            num_denoising=num_denoising, label_noise_ratio=0.5, box_noise_scale=1.0)
    return {"counts": counts, "num_denoising": num_denoising, "groups": meta["dn_num_group"],
            "queries": meta["dn_num_split"][0],
            "positive": [p.tolist() for p in meta["dn_positive_idx"]],
            "labels": seen["labels"].flatten().tolist(),
            "boxes_unact": unact.flatten().tolist(),
            "blocked": ["".join("01"[int(x)] for x in row) for row in mask]}


def main():
    with open(os.path.join(HERE, "denoising.json"), "w") as f:
        json.dump({name: run(*case) for name, case in CASES.items()}, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
