"""nms() against torchvision.ops.batched_nms on random boxes, also with equal scores and overlaps.
"""
import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np
import torch
from torchvision.ops import batched_nms, nms

DUMP = Path(os.environ["DFINE_BINARY_DIR"]) / "boxes_dump"


def ours(boxes, scores, labels, iou):
    rows = [[*map(float, b), float(s), int(c)] for b, s, c in zip(boxes, scores, labels)]
    text = json.dumps({"boxes": rows, "iou": iou})
    run = subprocess.run([DUMP], input=text, text=True, capture_output=True, check=True)
    return json.loads(run.stdout)


def random_case(seed, count, classes, grid, score_steps):
    """Corners are multiples of 1/8 and scores of 1/`score_steps`. With the offsets that batched_nms
    adds to classes, such corners stay exact. A coarse `grid` makes overlaps equal.
    """
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 200, (count, 2))
    size = np.exp(rng.uniform(np.log(4), np.log(90), (count, 2)))
    boxes = np.round(np.concatenate([corner, corner + size], 1) / grid) * grid
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + grid)
    scores = np.ceil(rng.uniform(0, 1, count) * score_steps) / score_steps
    return (torch.tensor(boxes, dtype=torch.float32), torch.tensor(scores, dtype=torch.float32),
            torch.tensor(rng.integers(0, classes, count)))


def of_each_class(boxes, scores, labels, iou):
    """Kept places by descending score, equal scores in order; torchvision's own sort of many boxes
    leaves the order of equal scores open.
    """
    kept = []
    for c in labels.unique():
        places = torch.where(labels == c)[0]
        kept += places[nms(boxes[places], scores[places], iou)].tolist()
    return sorted(kept, key=lambda i: (-float(scores[i]), i))


def main():
    dropped = 0
    for seed in range(40):
        grid, steps = (0.125, 10**6) if seed % 2 else (8, 7)
        count = int(np.random.default_rng(seed).choice([1, 20, 300, 900]))
        case = random_case(seed, count, 1 + seed % 4, grid, steps)
        for iou in (0.0, 0.3, 0.5, 1 / 3, 0.9, 1.0):
            expected = batched_nms(*case, iou).tolist()
            assert ours(*case, iou) == expected, (seed, iou)
            dropped += count - len(expected)
    assert dropped > 10000, dropped  # the cases have something to suppress
    assert ours(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0), 0.5) == []

    case = random_case(100, 10000, 3, 0.125, 1000)  # spread: few of 10,000 are suppressed
    case[0][:] = case[0] + 20 * torch.tensor([[i % 100, i // 100] * 2 for i in range(10000)])
    start = time.monotonic()
    kept = ours(*case, 0.5)
    print(f"10000 boxes, {len(kept)} kept: {time.monotonic() - start:.2f} s with the transfer")
    assert kept == of_each_class(*case, 0.5)
    assert set(kept) == set(batched_nms(*case, 0.5).tolist())


main()
