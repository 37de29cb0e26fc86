"""Writes trajectory.json: 30 optimizer steps of D-FINE-N by the official code with all of its recipe on.

  DFINE_OFFICIAL=path/to/D-FINE python make_trajectory.py

The official model, criterion, parameter groups, LinearWarmup over MultiStepLR, clipping and ModelEMA, in the order of its
train_one_epoch; weights as in make_parity.py, three batches in turn, denoising with this project's draws (philox.py), every token a query.
Rates are low, so that rounding stays small, and decays high, so that each part of the recipe shows.

Three runs: float64, whose figures are stored, and float32 with one and with two threads, whose distance from them is what rounding alone
does: `spread`, the larger of the two. Losses and gradient norm: |difference| / total loss (or norm), the largest up to each step. Weights:
over sampled elements, L2 norm of the difference of the changes / that of the float64 change, for each of GROUPS."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy as np  # noqa: E402
import torch  # noqa: E402
from unittest import mock  # noqa: E402

import official  # noqa: E402
from hashed import name_seed, signed, uniform  # noqa: E402
from make_parity import CLASSES, formula, tokens  # noqa: E402
from philox import denoising_draws  # noqa: E402
from src.optim import ModelEMA  # noqa: E402

SIZE, RES, SEED = "n", 256, 5
BATCHES = [[3, 5], [1, 4], [6, 2]]
STEPS, DENOISING = 30, 20
LR, BACKBONE_LR, WEIGHT_DECAY, CLIP, WARMUP = 4e-5, 2e-5, 0.05, 0.1, 10
EMA_DECAY, EMA_WARMUP = 0.98, 20
SAMPLES = 24  # elements of a tensor
GROUPS = ("backbone", "decayed", "undecayed", "statistics")


def make_batch(index, dtype):
    """uint8 images of blocks with noise, as float; boxes anywhere."""
    counts, s = BATCHES[index], 1000 * (index + 1)
    b, total = len(counts), sum(counts)
    blocks = uniform(s + 1, b, 3, RES // 16, RES // 16).repeat(16, 2).repeat(16, 3)
    images = np.floor(256 * (0.7 * blocks + 0.3 * uniform(s + 2, b, 3, RES, RES)))
    boxes = np.concatenate([0.5 + 0.35 * signed(s + 3, total, 2), 0.16 + 0.12 * signed(s + 4, total, 2)], 1)
    labels = torch.tensor(np.floor(uniform(s + 5, total) * CLASSES).astype(np.int64))
    return (torch.tensor(images).to(dtype) / 255,
            [{"labels": l, "boxes": x} for l, x in zip(labels.split(counts), torch.tensor(boxes).float().to(dtype).split(counts))])


def feed(step):
    """Stand-ins for torch's generators inside the official denoising function: (B, N) for labels, (B, N, 4) for boxes."""
    drawn = {}

    def draws(x):
        if not drawn:
            drawn["all"] = denoising_draws(SEED, step, x.shape[0], x.shape[1], CLASSES)
        return drawn["all"]
    return (mock.patch.object(torch, "rand_like", lambda x, **kw: torch.tensor(draws(x)[0 if x.dim() == 2 else 3]).to(torch.get_default_dtype())),
            mock.patch.object(torch, "randint_like", lambda x, low, high, dtype=None, **kw: torch.tensor(draws(x)[1 if x.dim() == 2 else 2]).to(dtype or x.dtype)))


def group_of(name, undecayed):
    return "statistics" if "running_" in name else "backbone" if ".backbone." in name else "undecayed" if name in undecayed else "decayed"


def sampled(after, before):
    """Changes at hashed places, in the order of the names."""
    out = {}
    for name in sorted(after):
        n = after[name].numel()
        places = torch.tensor(np.floor(uniform(name_seed(name), min(n, SAMPLES)) * n).astype(np.int64))
        out[name] = (after[name].reshape(-1)[places].double() - before[name].reshape(-1)[places].double()).tolist()
    return out


def run(dtype, threads, steps=STEPS):
    torch.set_num_threads(threads)
    with official.exact_order_and_precision(dtype):
        config = official.configuration(SIZE, CLASSES, tokens(SIZE, RES), DENOISING, RES, lr_warmup_scheduler={"warmup_duration": WARMUP},
                                        ema={"decay": EMA_DECAY, "warmups": EMA_WARMUP})
        groups = config.yaml_cfg["optimizer"]
        groups.update(lr=LR, weight_decay=WEIGHT_DECAY)
        for group in groups["params"]:
            if "lr" in group:
                group["lr"] = BACKBONE_LR
        model, criterion = config.model.to(dtype).train(), config.criterion.train()
        for name, p in official.parameters(model).items():
            p.copy_(torch.tensor(formula(name, tuple(p.shape))).float())
        optimizer, warmup, ema = config.optimizer, config.lr_warmup_scheduler, config.ema
        assert isinstance(ema, ModelEMA) and {g["weight_decay"] for g in optimizer.param_groups} == {0, WEIGHT_DECAY}
        names = {id(p): name for name, p in model.named_parameters()}
        undecayed = {n for g in optimizer.param_groups if g["weight_decay"] == 0 for p in g["params"] for n in official.published_names(names[id(p)])}
        before = {k: v.clone() for k, v in official.tensors(model).items()}
        losses, norms = [], []
        for step in range(steps):
            images, targets = make_batch(step % len(BATCHES), dtype)
            a, b = feed(step)
            with a, b:
                outputs = model(images, targets=targets)
            terms = criterion(outputs, targets)
            optimizer.zero_grad()
            sum(terms.values()).backward()
            norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP).item())
            optimizer.step()
            ema.update(model)
            warmup.step()
            losses.append({k: v.item() for k, v in terms.items()})
    return {"losses": losses, "norms": norms, "undecayed": undecayed, "raw": sampled(official.tensors(model), before), "ema": sampled(official.tensors(ema.module), before)}


def distance(got, exact, undecayed):
    """Of weights, for each of GROUPS."""
    out = {}
    for group in GROUPS:
        pairs = [(np.array(got[n]), np.array(x)) for n, x in exact.items() if group_of(n, undecayed) == group]
        out[group] = float((sum(((a - b)**2).sum() for a, b in pairs) / sum((b**2).sum() for _, b in pairs))**0.5)
    return out


def compare(got, exact):
    total = [sum(t.values()) for t in exact["losses"]]
    worst = [max(abs(a[k] - b[k]) for k in b) / t for a, b, t in zip(got["losses"], exact["losses"], total)]
    norm = [abs(a / b - 1) for a, b in zip(got["norms"], exact["norms"])]
    return {"terms": np.maximum.accumulate(worst).tolist(), "norms": np.maximum.accumulate(norm).tolist(),
            **{w: distance(got[w], exact[w], exact["undecayed"]) for w in ("raw", "ema")}}


def rounded(x, digits):
    if isinstance(x, float):
        return float(f"{x:.{digits}g}")
    if isinstance(x, dict):
        return {k: rounded(v, digits) for k, v in x.items()}
    return [rounded(v, digits) for v in x] if isinstance(x, list) else x


def larger(a, b):
    if isinstance(a, dict):
        return {k: larger(a[k], b[k]) for k in a}
    return [max(x, y) for x, y in zip(a, b)] if isinstance(a, list) else max(a, b)


def main():
    exact = run(torch.float64, 2)
    spread = larger(*(compare(run(torch.float32, threads), exact) for threads in (1, 2)))
    print(json.dumps(rounded(spread, 3)))
    undecayed = exact.pop("undecayed")
    members = {g: sorted(n for n in exact["raw"] if group_of(n, undecayed) == g) for g in GROUPS}
    setting = {"size": SIZE, "res": RES, "seed": SEED, "batches": BATCHES, "denoising": DENOISING, "lr": LR, "backbone_lr": BACKBONE_LR,
               "weight_decay": WEIGHT_DECAY, "clip": CLIP, "warmup": WARMUP, "ema_decay": EMA_DECAY, "ema_warmup": EMA_WARMUP, "samples": SAMPLES}
    losses = {k: [t[k] for t in exact["losses"]] for k in exact["losses"][0]}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "trajectory.json"), "w") as f:
        json.dump({"setting": setting, "losses": rounded(losses, 10), "norms": rounded(exact["norms"], 10), "spread": rounded(spread, 4),
                   "groups": members, "raw": rounded(exact["raw"], 6), "ema": rounded(exact["ema"], 6)}, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
