#!/usr/bin/env python3
"""A model of the step time on many GPUs, from counts and from assumed speeds. No GPU has run it.

  python3 benchmarks/step_model.py [--batch 16] [--cores 8]

Counted:
  launches, library calls and NCCL calls of a step: tests/nullcuda/budgets.json, bf16, two ranks
  GB per image, forward and backward at 640x640: the operators of the official code in fp32 with
    7 boxes per image (`--count`). Each but a view reads its inputs and writes its results.
  GFLOP per image: three times the authors' forward pass (README of Peterande/D-FINE)
  parameters: docs/configuration.md

Assumed, of an H100 SXM: see ASSUMED. The step is the slowest of

  host     launches and library calls, one after another
  GPU      the longer of computing and moving bytes (bf16: half of those counted), then the update
  loader   images/s of a core times the cores of each GPU

plus what the ranks wait for. Nothing hides the sums of batch norms, which are nearly all calls of
NCCL. Of the gradients' all-reduce, they wait for the last bucket and for what is longer than the
backward pass.
"""
import argparse
import json
import math
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent

ASSUMED = {
    "launch": 4e-6,            # seconds of the host
    "library call": 10e-6,     # cuDNN and cuBLAS
    "flops": 989e12 * 0.35,    # dense bf16, at the share that large models reach
    "bytes": 3.35e12 * 0.7,    # HBM3
    "backward": 0.6,           # share of the step's computing
    "nvlink": 350e9,           # bytes/s of an all-reduce within a node
    "small sum": 15e-6,        # a sum of batch norms within a node
    "hop": 8e-6,               # more for each doubling of the nodes
    "loader": 316,             # images/s of a core, files of 164 KB (docs/scaling.md)
}
LINKS = {"InfiniBand, 8 x 400 Gbit/s": 350e9, "Ethernet, 25 Gbit/s": 2.8e9}  # bytes/s of a node

PARAMETERS = {"n": 3.8e6, "s": 10.3e6, "m": 19.6e6, "l": 31.2e6, "x": 62.6e6}
GFLOP = {"n": 21, "s": 75, "m": 171, "l": 273, "x": 606}
GBYTES = {"n": 3.37, "s": 6.41, "m": 10.14, "l": 13.45, "x": 20.01}


def calls(size):
    budgets = json.loads((SOURCE / "tests/nullcuda/budgets.json").read_text())
    return budgets[f"{size}-bf16-1"]["step"], budgets[f"{size}-bf16-2"]["step"]


def step(size, batch, gpus, link, cores):
    """Seconds by part, of a step of `batch` images on each GPU."""
    alone, ranks = calls(size)
    mine = alone if gpus == 1 else ranks
    a = ASSUMED
    host = mine["launches"] * a["launch"] + mine["library calls"] * a["library call"]
    moved = GBYTES[size] * 1e9 / 2  # of an image, in bf16
    computing = batch * max(GFLOP[size] * 1e9 / a["flops"], moved / a["bytes"])
    update = PARAMETERS[size] * 4 * 10 / a["bytes"]  # AdamW and EMA: 10 reads and writes of each
    loader = batch / (a["loader"] * cores)
    parts = {"host": host, "GPU": computing + update, "loader": loader, "norms": 0, "gradients": 0}
    if gpus == 1:
        return parts
    nodes = math.ceil(gpus / 8)
    parts["norms"] = ranks["NCCL calls"] * (a["small sum"] + a["hop"] * math.log2(nodes))
    gradients = PARAMETERS[size] * 4
    rate = a["nvlink"] if nodes == 1 else min(a["nvlink"], link)
    exchange = 2 * (gpus - 1) / gpus * gradients / rate
    backward = a["backward"] * max(host, computing)
    last = 2 * 2**20 / rate + a["small sum"] + a["hop"] * math.log2(nodes)
    parts["gradients"] = last + max(0.0, exchange - backward)
    return parts


def images_per_second(parts, batch, gpus):
    slowest = max(parts["host"], parts["GPU"], parts["loader"])
    return gpus * batch / (slowest + parts["norms"] + parts["gradients"])


def count(sizes):
    """Prints GB per image of the official code: DFINE_OFFICIAL, PyTorch."""
    import torch
    from peers import official_config
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_flatten

    class Bytes(TorchDispatchMode):
        total = 0

        def __torch_dispatch__(self, operator, _, args=(), kwargs=None):
            result = operator(*args, **(kwargs or {}))
            moves = not operator.is_view and operator.overloadpacket.__name__ != "_unsafe_view"
            for x in tree_flatten((args, kwargs, result))[0] if moves else []:
                if isinstance(x, torch.Tensor):
                    self.total += min(x.numel() * x.element_size(), x.untyped_storage().nbytes())
            return result

    for size in sizes:
        got = []
        for batch in (1, 2):
            config = official_config(size)
            labels = [{"labels": torch.arange(7), "boxes": torch.full((7, 4), 0.4)}] * batch
            images = torch.rand(batch, 3, 640, 640)
            with Bytes() as moved:
                outputs = config.model.train()(images, targets=labels)
                sum(config.criterion.train()(outputs, labels).values()).backward()
            got.append(moved.total / 1e9)
        print(f"{size}: {got[1] - got[0]:.2f} GB")


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--batch", type=int, default=16, help="images per GPU")
    p.add_argument("--cores", type=int, default=8, help="loader cores per GPU")
    p.add_argument("--count", nargs="*", metavar="SIZE", help="count GB per image instead")
    a = p.parse_args()
    if a.count is not None:
        return count(a.count or GFLOP)
    print(f"{a.batch} images per GPU, {a.cores} loader cores per GPU. ms of a step; GPU alone:")
    for size in GFLOP:
        parts = step(size, a.batch, 1, 0, a.cores)
        print(f"  {size}  " + "  ".join(f"{k} {1e3 * v:.1f}" for k, v in parts.items() if v)
              + f"  images/s {images_per_second(parts, a.batch, 1):.0f}")
    for name, link in LINKS.items():
        print(f"\n{name} between nodes of 8 GPUs: images/s (share of one GPU's speed; norms and "
              "gradients in ms)")
        for size in GFLOP:
            one = images_per_second(step(size, a.batch, 1, 0, a.cores), a.batch, 1)
            row = []
            for gpus in (8, 64, 1024):
                parts = step(size, a.batch, gpus, link, a.cores)
                speed = images_per_second(parts, a.batch, gpus)
                row.append(f"{gpus}: {speed:.0f} ({speed / gpus / one:.2f}; "
                           f"{1e3 * parts['norms']:.1f}, {1e3 * parts['gradients']:.1f})")
            print(f"  {size}  " + "   ".join(row))


if __name__ == "__main__":
    main()
