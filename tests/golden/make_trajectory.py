"""Writes trajectory.json: optimizer steps by the official code with all of its recipe on.

There are 30 steps of D-FINE-N and 10 of D-FINE-L with its frozen norms and stem.

  DFINE_OFFICIAL=path/to/D-FINE python make_trajectory.py [sizes]

The official model, criterion, parameter groups, LinearWarmup over MultiStepLR, clipping and
ModelEMA run in the order of its train_one_epoch. Weights are as in make_parity.py, batches take
turns, and every token is a query. Denoising has this project's draws (philox.py). Learning rates
are low, so that rounding stays small, and decays high, so that each part of the recipe shows.

The values of a run in float64 are stored. Further runs are in float32: with one and with two
threads, and in channels_last (the layout that ours has). Those of NUDGES start from other weights,
which are off by at most one unit in the last place. In D-FINE-N rounding tips single choices of
queries from the twentieth step on. The largest distance of these runs from float64 is `spread`:
what rounding alone does. Losses and gradient norm: |difference| / total loss (or
norm), the largest up to each step. Weights: over sampled elements, L2 norm of the difference of the
changes / that of the float64 change, for each of GROUPS.
"""
import functools
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from unittest import mock  # noqa: E402

import numpy as np  # noqa: E402
import official  # noqa: E402
import torch  # noqa: E402
from hashed import name_seed, signed, uniform  # noqa: E402
from make_parity import CLASSES, PUBLISHED, formula, measure, tokens  # noqa: E402
from philox import denoising_draws  # noqa: E402

from src.optim import ModelEMA  # noqa: E402

RUNS = {
    "n": {"size": "n", "steps": 30, "res": 256, "seed": 5, "batches": [[3, 5], [1, 4], [6, 2]],
          "denoising": 20, "lr": 4e-5, "backbone_lr": 2e-5,
          # elements of a tensor
          "weight_decay": 0.05, "clip": 0.1, "warmup": 10, "ema_decay": 0.98,
          "ema_warmup": 20, "samples": 24},
    "l": {"size": "l", "steps": 10, "res": 96, "seed": 6, "batches": [[3, 5], [1, 4]],
          "denoising": 20, "lr": 4e-5, "backbone_lr": 2e-5,
          "weight_decay": 0.05, "clip": 0.1, "warmup": 4, "ema_decay": 0.98,
          "ema_warmup": 20, "samples": 6},
}
ORDERS = [(1, torch.contiguous_format), (2, torch.contiguous_format), (1, torch.channels_last)]
NUDGES = {"n": range(1, 7), "l": ()}  # seeds
GROUPS = ("backbone", "decayed", "undecayed", "statistics")


def make_batch(counts, res, s, dtype):
    """uint8 images of blocks with noise, as float; boxes anywhere."""
    b, total = len(counts), sum(counts)
    blocks = uniform(s + 1, b, 3, res // 16, res // 16).repeat(16, 2).repeat(16, 3)
    images = np.floor(256 * (0.7 * blocks + 0.3 * uniform(s + 2, b, 3, res, res)))
    boxes = np.concatenate([0.5 + 0.35 * signed(s + 3, total, 2),
                            0.16 + 0.12 * signed(s + 4, total, 2)], 1)
    labels = torch.tensor(np.floor(uniform(s + 5, total) * CLASSES).astype(np.int64))
    return (torch.tensor(images).to(dtype) / 255,
            [{"labels": l, "boxes": x} for l, x in zip(
                labels.split(counts), torch.tensor(boxes).float().to(dtype).split(counts))])


def feed(seed, step):
    """Stand-ins for torch's generators inside the official denoising function: (B, N) for labels,
    (B, N, 4) for boxes.
    """
    drawn = {}

    def draws(x):
        if not drawn:
            drawn["all"] = denoising_draws(seed, step, x.shape[0], x.shape[1], CLASSES)
        return drawn["all"]
    return (mock.patch.object(torch, "rand_like", lambda x, **kw: torch.tensor(
        draws(x)[0 if x.dim() == 2 else 3]).to(torch.get_default_dtype())),
            mock.patch.object(torch, "randint_like", lambda x, low, high, dtype=None,
                              **kw: torch.tensor(draws(x)[1 if x.dim() == 2 else 2]).to(
                                  dtype or x.dtype)))


def group_of(name, undecayed):
    return ("statistics" if "running_" in name else "backbone" if ".backbone." in name
            else "undecayed" if name in undecayed else "decayed")


def sampled(after, before, samples):
    """Changes at hashed places, in the order of the names."""
    out = {}
    for name in sorted(after):
        n = after[name].numel()
        places = torch.tensor(np.floor(uniform(name_seed(name),
                                               min(n, samples)) * n).astype(np.int64))
        out[name] = (after[name].reshape(-1)[places].double()
                     - before[name].reshape(-1)[places].double()).tolist()
    return out


def make_parts(setting, dtype, nudge):
    """The official configuration with the model, weights set. `nudge`: None or a seed."""
    size, published = setting["size"], setting["size"] in PUBLISHED
    statistics = measure(size) if published else {}
    with official.exact_order_and_precision(dtype):
        config = official.configuration(size, CLASSES, tokens(size, setting["res"]),
                                        setting["denoising"], setting["res"],
                                        norms_as_published=published,
                                        lr_warmup_scheduler={"warmup_duration": setting["warmup"]},
                                        ema={"decay": setting["ema_decay"],
                                             "warmups": setting["ema_warmup"]})
        groups = config.yaml_cfg["optimizer"]
        groups.update(lr=setting["lr"], weight_decay=setting["weight_decay"])
        for group in groups["params"]:
            if "lr" in group:
                group["lr"] = setting["backbone_lr"]
        model = config.model.to(dtype).train()
        for name, t in (official.tensors if published else official.parameters)(model).items():
            value = (statistics[name] if "running_" in name
                     else torch.tensor(formula(name, tuple(t.shape)))).float()
            if nudge is not None:
                noise = torch.Generator().manual_seed(name_seed(f"{nudge} {name}"))
                # in float64: a factor so near to 1 is 1 in float32
                shift = 2.0**-23 * (2 * torch.rand(t.shape, generator=noise).double() - 1)
                value = (value.double() * (1 + shift)).float()
            t.copy_(value)
    return config, model


def run(setting, dtype, threads, layout=torch.contiguous_format, nudge=None):
    torch.set_num_threads(threads)
    config, model = make_parts(setting, dtype, nudge)
    model.to(memory_format=layout)
    with official.exact_order_and_precision(dtype):
        criterion = config.criterion.train()
        optimizer, warmup, ema = config.optimizer, config.lr_warmup_scheduler, config.ema
        assert (isinstance(ema, ModelEMA) and {g["weight_decay"] for g in optimizer.param_groups}
                == {0, setting["weight_decay"]})
        names = {id(p): name for name, p in model.named_parameters()}
        undecayed = {n for g in optimizer.param_groups if g["weight_decay"] == 0
                     for p in g["params"] for n in official.published_names(names[id(p)])}
        before = {k: v.clone() for k, v in official.tensors(model).items()}
        losses, norms = [], []
        for step in range(setting["steps"]):
            index = step % len(setting["batches"])
            images, targets = make_batch(setting["batches"][index], setting["res"],
                                         1000 * (index + 1), dtype)
            images = images.to(memory_format=layout)
            a, b = feed(setting["seed"], step)
            with a, b:
                outputs = model(images, targets=targets)
            terms = criterion(outputs, targets)
            optimizer.zero_grad()
            sum(terms.values()).backward()
            norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), setting["clip"]).item())
            optimizer.step()
            ema.update(model)
            warmup.step()
            losses.append({k: v.item() for k, v in terms.items()})
    samples = setting["samples"]
    return {"losses": losses, "norms": norms, "undecayed": undecayed,
            "raw": sampled(official.tensors(model), before, samples),
            "ema": sampled(official.tensors(ema.module), before, samples)}


def distance(got, exact, undecayed):
    """Of weights, for each of GROUPS."""
    out = {}
    for group in GROUPS:
        pairs = [(np.array(got[n]), np.array(x)) for n, x in exact.items()
                 if group_of(n, undecayed) == group]
        out[group] = float((sum(((a - b)**2).sum() for a, b in pairs)
                            / sum((b**2).sum() for _, b in pairs))**0.5)
    return out


def compare(got, exact):
    total = [sum(t.values()) for t in exact["losses"]]
    worst = [max(abs(a[k] - b[k]) for k in b) / t
             for a, b, t in zip(got["losses"], exact["losses"], total)]
    norm = [abs(a / b - 1) for a, b in zip(got["norms"], exact["norms"])]
    return {"terms": np.maximum.accumulate(worst).tolist(),
            "norms": np.maximum.accumulate(norm).tolist(),
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


def case(setting):
    exact = run(setting, torch.float64, 2)
    orders = ORDERS + [(2, torch.channels_last, seed) for seed in NUDGES[setting["size"]]]
    spreads = [compare(run(setting, torch.float32, *order), exact) for order in orders]
    spread = functools.reduce(larger, spreads)
    print(setting["size"], json.dumps(rounded(spread, 3)), flush=True)
    undecayed = exact.pop("undecayed")
    members = {g: sorted(n for n in exact["raw"] if group_of(n, undecayed) == g) for g in GROUPS}
    losses = {k: [t[k] for t in exact["losses"]] for k in exact["losses"][0]}
    return {"setting": setting, "losses": rounded(losses, 10), "norms": rounded(exact["norms"], 10),
            "spread": rounded(spread, 4),
            "groups": members, "raw": rounded(exact["raw"], 6), "ema": rounded(exact["ema"], 6)}


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "trajectory.json")
    result = json.load(open(path)) if os.path.exists(path) else {}
    for size in sys.argv[1] if len(sys.argv) > 1 else RUNS:
        result[size] = case(RUNS[size])
    with open(path, "w") as f:
        json.dump(result, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
