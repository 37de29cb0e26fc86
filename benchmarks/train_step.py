#!/usr/bin/env python3
"""A training step of D-FINE on the CPU, side by side in one run: ours, the official code and
transformers.

  DFINE_OFFICIAL=checkout-of-Peterande/D-FINE python benchmarks/train_step.py
    --bin build/release/bin --sizes n x --rounds 3 [--bf16]

All have the same batch size, image size, number of boxes and threads, with denoising, AdamW and
clipping. Each runs in a separate process, one after another, `rounds` times, so that a slow moment
of the machine hits all alike. With --bf16 the models run under autocast; the official criterion
stays in single precision, as in its trainer.

Prints medians, ratios and peak memory. `ready` is the seconds from starting the process until its
first step begins, `start` those until that step ends. Weights are loaded from a file before: from a
Hugging Face folder, or the official code's own .pth.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import time

from peers import for_each_size, in_turn, measure, official_config, transformers_model


def targets(torch, batch, boxes, classes):
    g = torch.Generator().manual_seed(1)
    out = []
    for _ in range(batch):
        wh = 0.05 + 0.35 * torch.rand(boxes, 2, generator=g)
        out.append({"labels": torch.randint(0, classes, (boxes,), generator=g),
                    "boxes": torch.cat([wh / 2 + (1 - wh) * torch.rand(boxes, 2, generator=g), wh],
                                       1)})
    return out


def autocast(torch, a):
    return torch.autocast("cpu", torch.bfloat16, enabled=a.bf16)


def write_weights(a):
    """Random weights for all, where each of the programs finds its own."""
    import torch
    transformers_model(os.path.join(a.folder, "config.json")).save_pretrained(a.folder)
    if "official" in a.peers:
        torch.save({"model": official_config(a.size).model.state_dict()}, official_weights(a))


def official_weights(a):
    return os.path.join(a.folder, "official.pth")


def official(a):
    import torch
    cfg = official_config(a.size)
    cfg.model.load_state_dict(torch.load(official_weights(a), map_location="cpu")["model"])
    model, criterion = cfg.model.train(), cfg.criterion.train()
    labels = targets(torch, a.batch, a.boxes, 80)

    def loss_of(images):
        with autocast(torch, a):
            outputs = model(images, targets=labels)
        return sum(criterion(outputs, labels).values())

    return torch, model, loss_of


def transformers(a):
    import torch
    from transformers import DFineForObjectDetection
    model = DFineForObjectDetection.from_pretrained(a.folder).train()
    labels = [{"class_labels": t["labels"], "boxes": t["boxes"]}
              for t in targets(torch, a.batch, a.boxes, 80)]

    def loss_of(images):
        with autocast(torch, a):
            return model(pixel_values=images, labels=labels).loss

    return torch, model, loss_of


def peer(a):
    torch, model, loss_of = {"official": official, "transformers": transformers}[a.peer](a)
    torch.set_num_threads(a.threads)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4)
    images = torch.rand(a.batch, 3, a.image_size, a.image_size)
    seconds, ready, first_end = [], time.time(), None
    for _ in range(a.steps):
        begin = time.perf_counter()
        loss = loss_of(images)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 0.1)
        optimizer.step()
        seconds.append(time.perf_counter() - begin)
        first_end = first_end or time.time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"ready {ready}\nfirst_end {first_end}\nmedian_s {statistics.median(seconds[1:])}\n"
          f"peak_gib {peak}")


def measure_step(command):
    begin = time.time()
    got = measure(command, ("ready", "first_end", "median_s", "peak_gib"))
    got["ready_s"] = got["ready"] - begin
    got["start_s"] = got["first_end"] - begin
    return got


def compare(a, size, shape, folder):
    here = [sys.executable, __file__, "--size", size, "--folder", folder, *shape]
    subprocess.run([*here, "--write-weights", "--peers", *a.peers], check=True)
    runs = {"ours": [os.path.join(a.bin, "bench_step"), "--size", size, "--weights", folder,
                     *shape]}
    for name in a.peers:
        runs[name] = [*here, "--peer", name]
    got = in_turn(runs, a.rounds, measure_step)
    ours = statistics.median(r["median_s"] for r in got["ours"])
    for name, rows in got.items():
        median = statistics.median(r["median_s"] for r in rows)
        print(f"{size} {name:12} step {median:7.3f} s  ready "
              f"{statistics.median(r['ready_s'] for r in rows):7.3f} s  start "
              f"{statistics.median(r['start_s'] for r in rows):7.3f} s  "
              f"peak {max(r['peak_gib'] for r in rows):5.2f} GiB  ours / {name} = "
              f"{ours / median:.2f}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", default="build/release/bin")
    p.add_argument("--sizes", nargs="+", default=["n", "s", "m", "l", "x"])
    p.add_argument("--peers", nargs="*", default=["official", "transformers"])
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--steps", type=int, default=4)
    p.add_argument("--batch", type=int, default=2)
    p.add_argument("--image-size", type=int, default=640)
    p.add_argument("--boxes", type=int, default=20)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--bf16", action="store_true")
    p.add_argument("--peer", help=argparse.SUPPRESS)
    p.add_argument("--size", help=argparse.SUPPRESS)
    p.add_argument("--folder", help=argparse.SUPPRESS)
    p.add_argument("--write-weights", action="store_true", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.write_weights:
        return write_weights(a)
    if a.peer:
        return peer(a)
    shape = ["--batch", a.batch, "--image-size", a.image_size, "--boxes", a.boxes,
             "--threads", a.threads, "--steps", a.steps]
    shape += ["--bf16"] * a.bf16
    for_each_size(a, shape, compare)


if __name__ == "__main__":
    main()
