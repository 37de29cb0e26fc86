#!/usr/bin/env python3
"""Counts what a training step of the official code asks of a GPU: kernel launches, library calls,
copies and host waits. It runs on the null device (tests/nullcuda).

  python -m pip install --no-deps --target FOLDER torch==2.15.0
  DFINE_OFFICIAL=checkout-of-Peterande/D-FINE DFINE_CUDA_TORCH=FOLDER
    DFINE_NULLCUDA_DIR=build/cuda/tests/nullcuda/lib
    python benchmarks/official_launches.py --size l

FOLDER holds PyTorch for CUDA, which needs none of CUDA's own libraries here; everything else comes
from the Python that runs this. The step is the official train_one_epoch() with its recipe's
optimizer, EMA, clipping and loss scaler, under autocast in bfloat16. Nothing is computed, so boxes
are all zero; assertions on them are off. budgets_test.py counts the same of ours.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "nullcuda"))

# PyTorch's Python half imports them, LibTorch does not.
MORE = ["cuFileBufDeregister", "cuFileBufRegister", "cuFileHandleDeregister",
        "cuFileHandleRegister", "cuFileRead", "cuFileWrite", "cudaStreamGetPriority",
        "cudnnGetProperty"]


def train(a):
    import torch
    sys.path.insert(0, os.environ["DFINE_OFFICIAL"])
    from src.solver.det_engine import train_one_epoch

    from src.core import YAMLConfig

    config = YAMLConfig(os.path.join(os.environ["DFINE_OFFICIAL"], "configs", "dfine",
                                     f"dfine_hgnetv2_{a.size}_coco.yml"),
                        HGNetv2={"pretrained": False}, num_queries=a.queries,
                        eval_spatial_size=[a.image_size, a.image_size])
    nonzero = torch.nonzero

    def positive_half(mask):
        """Of the denoising queries, all of which seem to be zero here."""
        found = nonzero(mask)
        return found.new_empty([mask.numel() // 2, found.shape[1]])

    torch.nonzero = positive_half
    torch.set_autocast_dtype("cuda", getattr(torch, a.precision))
    device = torch.device("cuda")
    model = config.model.to(device)
    labels = [{"labels": torch.zeros(a.boxes, dtype=torch.int64),
               "boxes": torch.full((a.boxes, 4), 0.5)} for _ in range(a.batch)]
    images = torch.rand(a.batch, 3, a.image_size, a.image_size)
    ema = config.ema
    ema.module.to(device)
    train_one_epoch(model, config.criterion.to(device), [(images, labels)] * a.steps,
                    config.optimizer, device, epoch=0, use_wandb=False,
                    max_norm=config.clip_max_norm, print_freq=1000, ema=ema, scaler=config.scaler)


def count(a, steps, folder):
    from run import libraries
    more = Path(folder, "libmore.so")
    if not more.exists():
        source = Path(folder, "more.c")
        source.write_text("".join(f"int {name}(void) {{ return 0; }}\n" for name in MORE))
        subprocess.run(["cc", "-shared", "-fPIC", "-o", more, source], check=True)
    report = Path(folder, f"report{steps}")
    environment = {**os.environ, "LD_PRELOAD": f"{libraries()}:{more}", "NULLCUDA_DEVICES": "1",
                   "NULLCUDA_REPORT": str(report), "PYTORCH_NO_CUDA_MEMORY_CACHING": "1",
                   "PYTHONPATH": os.environ["DFINE_CUDA_TORCH"], "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-O", __file__, "--steps", str(steps)]
    for name in ("size", "batch", "image_size", "boxes", "queries", "precision"):
        command += ["--" + name.replace("_", "-"), str(getattr(a, name))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return json.loads(report.read_text())


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--size", default="l")
    p.add_argument("--batch", type=int, default=4)
    p.add_argument("--image-size", type=int, default=320)
    p.add_argument("--queries", type=int, default=100)
    p.add_argument("--boxes", type=int, default=20)
    p.add_argument("--precision", default="bfloat16", choices=["bfloat16", "float16"])
    p.add_argument("--steps", type=int, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.steps:
        return train(a)
    from counts import difference
    with tempfile.TemporaryDirectory() as folder:
        counts = difference(count(a, 2, folder), count(a, 4, folder), 2)
    for name, number in counts.items():
        print(f"{number:6} {name}")


if __name__ == "__main__":
    main()
