"""Every head in training mode, the gradients through all of them and the running statistics equal
transformers', in float64.

Heads are all layers' logits, boxes, corners and reference boxes, the first layer's direct boxes and
the selected encoder tokens. Sizes are N and X, which alone has a projection between encoder and
decoder. (The denoising heads are compared with the official code through its losses: tests/loss.)
"""
import os
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

from reference import TOOL, images, make_model

BOUND = 1e-9  # of outputs in units of 1, of gradients relative; float64 rounding leaves 1e-12


def check(size, res, folder):
    weights, batch, out = (os.path.join(folder, f)
                           for f in ("model.safetensors", "in.safetensors", "out.safetensors"))
    model = make_model(size).double().train()
    for m in model.modules():
        if hasattr(m, "num_batches_tracked"):
            m.num_batches_tracked.zero_()
    model.save_pretrained(folder)
    x = images(res, res, 2, 3).double()
    reference = model(x)

    heads = {}
    last = reference.intermediate_predicted_corners.shape[1] - 1
    for i in range(last + 1):
        name = "last" if i == last else f"aux_{i}"
        heads[name + ".corners"] = reference.intermediate_predicted_corners[:, i]
        heads[name + ".ref_points"] = reference.initial_reference_points[:, i]
        heads[name + ".logits"] = reference.intermediate_logits[:, i + 1]  # theirs begin with `pre`
        heads[name + ".boxes"] = reference.intermediate_reference_points[:, i + 1]
    heads["pre.logits"], heads["pre.boxes"] = (reference.intermediate_logits[:, 0],
                                               reference.intermediate_reference_points[:, 0])
    heads["enc.logits"], heads["enc.boxes"] = reference.enc_topk_logits, reference.enc_topk_bboxes

    g = torch.Generator().manual_seed(9)
    mix = {k: torch.rand(v.shape, generator=g, dtype=torch.float64) for k, v in heads.items()
           if not k.endswith(".ref_points")}
    sum((heads[k] * w).sum() for k, w in mix.items()).backward()
    save_file({"images": x, **mix}, batch)
    subprocess.run([TOOL, "forward", "--size", size, "--freeze-norm", "true", "--weights", weights,
                    "--batch", batch, "--out", out,
                    "--train", "--double"], check=True)
    got = load_file(out)

    assert {k for k in got
            if not k.startswith(("grad.", "buffer."))} == set(heads), (set(got) ^ set(heads))
    worst = {k: float((got[k] - v.detach()).abs().max()) for k, v in heads.items()}
    head = max(worst, key=worst.get)

    statistics = os.path.join(folder, "after")
    model.save_pretrained(statistics)
    after = load_file(os.path.join(statistics, "model.safetensors"))
    buffers = max(float((got["buffer." + k] - v).abs().max()) for k, v in after.items()
                  if "running_" in k or "num_batches" in k)

    with torch.no_grad():  # saving puts the gradients under the published names
        zero = {n for n, p in model.named_parameters() if p.grad is None}
        for p in model.parameters():
            p.copy_(torch.full_like(p, torch.nan) if p.grad is None else p.grad)
    model.save_pretrained(statistics)
    # Parameters without a gradient there are constants, and the class embedding, which has a zero
    # gradient here.
    grads = {k: v for k, v in load_file(os.path.join(statistics, "model.safetensors")).items()
             if f"grad.{k}" in got and not v.isnan().any()}
    assert {k[5:] for k in got
            if k.startswith("grad.")} - set(grads) == {"model.denoising_class_embed.weight"}, zero
    assert not got["grad.model.denoising_class_embed.weight"].any()
    difference = sum(float((got["grad." + k] - v).square().sum()) for k, v in grads.items())
    relative = (difference / sum(float(v.square().sum()) for v in grads.values())) ** 0.5

    ok = worst[head] < BOUND and buffers < BOUND and relative < BOUND
    print(f"{'ok  ' if ok else 'FAIL'} {size} {res}x{res}: {len(heads)} outputs, worst {head} "
          f"{worst[head]:.1e}; {len(grads)} gradients {relative:.1e}; "
          f"running statistics {buffers:.1e}", flush=True)
    return ok


def main():
    good = []
    for size, res in (("n", 288), ("x", 160)):
        with tempfile.TemporaryDirectory() as folder:
            good.append(check(size, res, folder))
    if not all(good):
        sys.exit("some differences are above their bounds")


if __name__ == "__main__":
    main()
