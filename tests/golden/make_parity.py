"""Makes parity.json: losses, gradients and an AdamW trajectory of the official D-FINE in all five sizes, end to end.

    DFINE_OFFICIAL=checkout-of-Peterande/D-FINE python make_parity.py [sizes]

Weights, images, boxes and denoising draws come from a formula (tests/loss/formula.cpp is its twin). All norms are live, which keeps the
network well conditioned whatever the weights; every token is a query, so that no rounding decides which are selected.
"""
import json
import os
import re
import sys
from unittest import mock

import numpy as np

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import torch  # noqa: E402
import official  # noqa: E402
from hashed import name_seed, signed, uniform  # noqa: E402

CLASSES = 7
EXACT = {"counts": [60, 3], "dn": 100}          # float64: terms and the gradient of every parameter
ROUNDED = {"counts": [3, 5, 0, 1], "dn": 20}    # float32: terms
MORE = {                                        # float64 and float32: terms, and two figures of all gradients
    "no_denoising": {"counts": [60, 0, 1, 3], "dn": 0},
    "one_image_no_denoising": {"counts": [60], "dn": 0},
    "one_box": {"counts": [1], "dn": 20},
    "no_box": {"counts": [0], "dn": 20},
}


def tokens(size, res):
    return sum((res // stride) ** 2 for stride in ((16, 32) if size == "n" else (8, 16, 32)))


GAINS = [  # of the weights below, where it is not 1
    (r"\.bbox_embed\.\d+\.layers\.2\.", 2.0),  # distributions that differ from flat ones
    (r"(enc|pre)_bbox_head\.layers\.2\.|sampling_offsets|attention_weights|gate\.", 0.5),  # boxes and samples near where they start
]


def formula(name, shape):
    """The value of a parameter, float64."""
    s = signed(name_seed(name), *shape)
    if name == "model.denoising_class_embed.weight":
        s[-1] = 0  # the padding row
        return s
    if len(shape) == 1:
        if name.endswith("weight") or name.endswith("scale"):
            return 1 + 0.2 * s
        if "norm" in name:
            return (0.0 if "decoder" in name else 1.0) + 0.3 * s  # most of the convolutions' activations open
        return (-4.6 if re.search("class_embed|score_head", name) else 0.0) + 0.1 * s  # classes as rare as at the start of training
    gain = next((g for pattern, g in GAINS if re.search(pattern, name)), 1.0)
    return s * (gain * np.sqrt((1.0 if len(shape) == 2 else 3.0) / np.prod(shape[1:])))


def make_images(b, res, dtype, seed=0):
    """Blocks with noise."""
    blocks = uniform(seed + 1, b, 3, res // 16, res // 16).repeat(16, 2).repeat(16, 3)
    return torch.tensor(0.7 * blocks + 0.3 * uniform(seed + 2, b, 3, res, res)).to(dtype)


def make_batch(counts, res, dtype):
    """Images with boxes anywhere."""
    total = sum(counts)
    boxes = np.concatenate([0.5 + 0.35 * signed(3, total, 2), 0.16 + 0.12 * signed(4, total, 2)], 1)
    labels = torch.tensor(np.floor(uniform(5, total) * CLASSES).astype(np.int64))
    return make_images(len(counts), res, dtype), [{"labels": l, "boxes": x} for l, x in zip(labels.split(counts), torch.tensor(boxes).to(dtype).split(counts))]


def draws(step):
    """Stand-ins for torch's generators inside the official denoising function."""
    def uniform_draw(x, **kw):  # (B, N) for the labels, (B, N, 4) for the boxes
        return torch.tensor(uniform(100 * step + 10 + x.dim(), *x.shape)).to(torch.get_default_dtype())

    def integer_draw(x, low, high, dtype=None, **kw):
        return torch.tensor(np.floor(uniform(100 * step + 20 + x.dim(), *x.shape) * (high - low)) + low).to(dtype or x.dtype)
    return mock.patch.object(torch, "rand_like", uniform_draw), mock.patch.object(torch, "randint_like", integer_draw)


def make_model(size, res, dtype, num_denoising):
    model, criterion = official.build(size, CLASSES, tokens(size, res), num_denoising, res)
    model = model.to(dtype)
    for name, p in official.parameters(model).items():
        p.copy_(torch.tensor(formula(name, tuple(p.shape))))
    return model, criterion


def forward(model, criterion, images, targets, step=0):
    a, b = draws(step)
    with a, b:
        output = model(images, targets=targets)
    return criterion(output, targets)


def run(size, res, dtype, counts, dn):
    with official.exact_order_and_precision(dtype):
        model, criterion = make_model(size, res, dtype, dn)
        terms = forward(model, criterion, *make_batch(counts, res, dtype))
        sum(terms.values()).backward()
    return {k: v.item() for k, v in terms.items()}, {k: g.double() for k, g in official.gradients(model).items()}


def trajectory(res, dtype, counts, dn, steps, lr):
    """N with AdamW over all parameters, weight decay 1e-4, gradients clipped to 0.1."""
    losses = []
    with official.exact_order_and_precision(dtype):
        model, criterion = make_model("n", res, dtype, dn)
        optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-4)
        batch = make_batch(counts, res, dtype)
        for step in range(steps):
            loss = sum(forward(model, criterion, *batch, step=step).values())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
            losses.append(loss.item())
    return losses


def summary(name, grad):
    """Norm, and product with a hashed tensor."""
    return [float(f"{x.item():.10g}") for x in (grad.norm(), (grad * torch.tensor(signed(name_seed(name) ^ 1, *grad.shape))).sum())]


def total(grads):
    """Norm, and product with hashed tensors, of all gradients together."""
    norms, products = zip(*(summary(k, g) for k, g in grads.items()))
    return [float(f"{x:.10g}") for x in (np.linalg.norm(norms), sum(products))]


def more_cases(size, res):
    cases = {}
    for name, case in MORE.items():
        exact, grads = run(size, res, torch.float64, **case)
        single, _ = run(size, res, torch.float32, **case)
        cases[name] = {**case, "losses64": exact, "losses": single, "grads": total(grads)}
        print(size, name, sum(exact.values()), max(abs(single[k] / v - 1) for k, v in exact.items() if v), flush=True)
    return cases


def main():
    torch.manual_seed(0)
    path = os.path.join(HERE, "parity.json")
    result = json.load(open(path)) if os.path.exists(path) else {"sizes": {}}
    for size in sys.argv[1] if len(sys.argv) > 1 else "nsmlx":
        res = 128 if size == "n" else 96
        exact, grads = run(size, res, torch.float64, **EXACT)
        double, grads64 = run(size, res, torch.float64, **ROUNDED)
        single, grads32 = run(size, res, torch.float32, **ROUNDED)
        error = sum(float((grads32[k] - g).square().sum()) for k, g in grads64.items())
        rounding = (error / sum(float(g.square().sum()) for g in grads64.values())) ** 0.5
        result["sizes"][size] = {
            "res": res, "exact": {**EXACT, "losses": exact, "grads": {k: summary(k, g) for k, g in grads.items()}},
            "rounded": {**ROUNDED, "losses": single, "losses64": double, "grad_rounding": rounding}, "more": more_cases(size, res)}
        print(size, sum(exact.values()), sum(single.values()), max(abs(single[k] / v - 1) for k, v in double.items() if v), rounding, flush=True)
    case = {"res": 256, "counts": [3, 5], "dn": 20, "steps": 10, "lr": 2e-5}
    result["trajectory"] = {**case, "loss": trajectory(dtype=torch.float32, **case), "loss64": trajectory(dtype=torch.float64, **case)}
    print(result["trajectory"])
    with open(path, "w") as f:
        json.dump(result, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
