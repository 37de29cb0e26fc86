#!/usr/bin/env python3
"""Inference of D-FINE on the CPU, side by side in one run. Peers are transformers, the official
code in PyTorch, and ONNX Runtime on the official export.

  DFINE_OFFICIAL=checkout-of-Peterande/D-FINE python benchmarks/inference.py
    --bin build/release/bin --sizes n x --rounds 5

All have random weights, images of random pixels, and the same batch size, image size and threads.
Each runs in a separate process, one after another, `rounds` times, so that a slow moment of the
machine hits all alike. Ours, the official code and ONNX Runtime turn logits into boxes of the
image, transformers does not. Prints medians.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

from peers import for_each_size, in_turn, measure, official_config, transformers_model


def official_model(a):
    import torch
    cfg = official_config(a.size)

    class Deployed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model, self.postprocessor = cfg.model.deploy(), cfg.postprocessor.deploy()

        def forward(self, images, sizes):
            return self.postprocessor(self.model(images), sizes)

    return torch, Deployed().eval()


def official(a):
    torch, model = official_model(a)
    torch.set_num_threads(a.threads)
    images = torch.rand(a.batch, 3, a.image_size, a.image_size)
    sizes = torch.tensor([[a.image_size, a.image_size]] * a.batch)
    return torch.inference_mode()(lambda: model(images, sizes))


def export(a):
    """As tools/deployment/export_onnx.py."""
    torch, model = official_model(a)
    data = torch.rand(2, 3, a.image_size, a.image_size)
    sizes = torch.tensor([[a.image_size, a.image_size]])
    with torch.no_grad():
        model(data, sizes)
        torch.onnx.export(model, (data, sizes), a.onnx,
                          input_names=["images", "orig_target_sizes"],
                          output_names=["labels", "boxes", "scores"],
                          dynamic_axes={"images": {0: "N"}, "orig_target_sizes": {0: "N"}},
                          opset_version=16, do_constant_folding=True, dynamo=False)


def onnx(a):
    import numpy
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = a.threads
    session = onnxruntime.InferenceSession(a.onnx, options, providers=["CPUExecutionProvider"])
    images = numpy.random.default_rng(1).random(
        (a.batch, 3, a.image_size, a.image_size), numpy.float32)
    sizes = numpy.full((a.batch, 2), a.image_size, numpy.int64)
    return lambda: session.run(None, {"images": images, "orig_target_sizes": sizes})


def transformers(a):
    import torch
    torch.set_num_threads(a.threads)
    model = transformers_model(a.hf_config).eval()
    images = torch.rand(a.batch, 3, a.image_size, a.image_size)
    return torch.inference_mode()(lambda: model(pixel_values=images))


def peer(a):
    body = {"official": official, "onnx": onnx, "transformers": transformers}[a.peer](a)
    seconds = []
    for _ in range(a.steps):
        begin = time.perf_counter()
        body()
        seconds.append(time.perf_counter() - begin)
    print(f"median_s {statistics.median(seconds[2:])}")


def compare(a, size, shape, folder):
    here = [sys.executable, __file__, "--size", size, *shape,
            "--hf-config", os.path.join(folder, "config.json"),
            "--onnx", os.path.join(folder, f"{size}.onnx")]
    if "onnx" in a.peers:
        subprocess.run([*here, "--export"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    runs = {"ours": [os.path.join(a.bin, "bench_inference"), "--size", size, *shape]}
    for name in a.peers:
        runs[name] = [*here, "--peer", name]
    got = in_turn(runs, a.rounds, lambda command: measure(command, ("median_s",))["median_s"])
    ours = statistics.median(got["ours"])
    for name, rows in got.items():
        median = statistics.median(rows)
        print(f"{size} {name:12} {median * 1000:8.1f} ms  {name} / ours = {median / ours:.2f}",
              flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", default="build/release/bin")
    p.add_argument("--sizes", nargs="+", default=["n", "x"])
    p.add_argument("--peers", nargs="*", default=["transformers", "official", "onnx"])
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--steps", type=int, default=20)
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--image-size", type=int, default=640)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--export", action="store_true", help=argparse.SUPPRESS)
    for hidden in ("--peer", "--size", "--hf-config", "--onnx"):
        p.add_argument(hidden, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.export:
        return export(a)
    if a.peer:
        return peer(a)
    shape = ["--batch", a.batch, "--image-size", a.image_size, "--threads", a.threads,
             "--steps", a.steps]
    for_each_size(a, shape, compare)


if __name__ == "__main__":
    main()
