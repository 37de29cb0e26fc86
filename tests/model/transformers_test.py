"""Logits and boxes in evaluation equal transformers' on the same weights: five sizes, 640x640,
320x320 and a non-square size, batch 2, fp32 on the CPU. Bounds: logits 2e-4, boxes 1e-5. They hold
for a model prepared for inference too. A new network has transformers' names, shapes and types.

Where rounding alone swaps two queries of nearly equal score in the selection, queries are compared
after sorting them out by their nearest counterpart.
"""
import os
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

from reference import TOOL, align, images, make_model

LOGITS, BOXES = 2e-4, 1e-5
MODES = {"as in evaluation": [], "prepared": ["--prepared"]}


def selection_gap(model, out):
    """Least difference of the scores of the last selected and the first rejected token."""
    scores = out.enc_outputs_class.max(-1).values.sort(-1, descending=True).values
    k = model.config.num_queries
    return float((scores[:, k - 1] - scores[:, k]).min())


def same_tensors(size, theirs, ours):
    subprocess.run([TOOL, "init", "--size", size, "--out", ours], check=True)
    want, have = ({k: (tuple(t.shape), t.dtype) for k, t in load_file(path).items()}
                  for path in (theirs, ours))
    different = {k: (have.get(k), want.get(k)) for k in set(have) | set(want)
                 if have.get(k) != want.get(k)}
    print(f"{'FAIL' if different else 'ok  '} {size}: {len(want)} names, shapes and types "
          f"{dict(list(different.items())[:5]) or ''}", flush=True)
    return not different


def agrees(size, weights, folder, out, shape, mode):
    """Whether our outputs on the images of in.safetensors are those of transformers, `out`."""
    subprocess.run([TOOL, "forward", "--size", size, "--weights", weights,
                    "--batch", os.path.join(folder, "in.safetensors"),
                    "--out", os.path.join(folder, "out.safetensors"),
                    *MODES[mode]], check=True)
    got = load_file(os.path.join(folder, "out.safetensors"))
    logits = boxes = moved = 0
    for b in range(2):
        ours, theirs, n = align(torch.cat([got["last.logits"][b], got["last.boxes"][b]], 1),
                                torch.cat([out.logits[b], out.pred_boxes[b]], 1))
        logits, boxes, moved = (max(logits, float((ours - theirs)[:, :-4].abs().max())),
                                max(boxes, float((ours - theirs)[:, -4:].abs().max())),
                                moved + n)
    ok = logits <= LOGITS and boxes <= BOXES and moved <= 10
    print(f"{'ok  ' if ok else 'FAIL'} {size} {shape} {mode}: logits {logits:.1e} (within "
          f"+-{float(out.logits.abs().max()):.0f}), boxes {boxes:.1e}, "
          f"{moved} queries at another place", flush=True)
    return ok


def check(size, folder):
    model = make_model(size)
    model.save_pretrained(folder)
    weights = os.path.join(folder, "model.safetensors")
    failed = not same_tensors(size, weights, os.path.join(folder, "fresh.safetensors"))
    for height, width in ((640, 640), (320, 320), (352, 480)):
        for seed in range(7, 40):
            x = images(height, width, 2, seed)
            with torch.no_grad():
                out = model(x)
            if selection_gap(model, out) > 2e-4:  # as the bound on logits
                break
        save_file({"images": x}, os.path.join(folder, "in.safetensors"))
        for mode in MODES:
            failed |= not agrees(size, weights, folder, out, f"{height}x{width}", mode)
    return not failed


def main():
    good = []
    for size in sys.argv[1] if len(sys.argv) > 1 else "nsmlx":
        with tempfile.TemporaryDirectory() as folder:
            good.append(check(size, folder))
    if not all(good):
        sys.exit("some differences are above their bounds")


if __name__ == "__main__":
    main()
