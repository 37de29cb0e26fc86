#!/usr/bin/env python3
"""What a second rank costs on a CPU. One rank of one thread trains, then two ranks of one thread
each, in turn in one run.

  python benchmarks/ranks.py --bin build/release/bin --sizes n s --rounds 5 [--json FILE]

Each rank has its own core and trains on the same number of images per step (weak scaling).
`apart` are two runs of one rank at the same time, which know nothing of each other. They show what
the machine's shared memory and caches leave of the second core. Printed are medians of the images
per second, and of the ratios within a round:
  ranks / 2      two ranks against twice one rank alone; 1 is ideal
  ranks / apart  two ranks against two runs apart: what the exchange of gradients costs
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
BCCD = SOURCE / "tests" / "data" / "bccd"
WARM_UP = 3  # steps


def training(a, size, pack, folder):
    """The command of a run of one thread on few, equal images."""
    command = [str(Path(a.bin) / "dfine_ddp"), "--config", str(SOURCE / "configs/custom/n.toml")]
    for key, value in {"run.dir": folder, "run.threads": 1, "model.size": size,
                       "data.train": pack, "data.val": pack, "data.batch_size": a.batch,
                       "data.image_size": a.image_size, "data.augment": "none", "data.workers": 0,
                       "train.max_steps": a.steps, "train.stage2_from_best": "false",
                       "validate.every_epochs": 0}.items():
        command += ["--set", f"{key}={value}"]
    return command


def start(a, size, pack, folder, core, ranks=1):
    """A run; its ranks are on the cores from `core` on."""
    command = training(a, size, pack, folder)
    if ranks > 1:
        command = ["mpirun", "-np", str(ranks), "--bind-to", "core", *command]
    else:
        command = ["taskset", "-c", str(core), *command]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def rate(run, folder):
    """Images per second of the median step, when the run has ended."""
    _, errors = run.communicate()
    if run.returncode:
        sys.exit(errors)
    return median_rate(folder)


def median_rate(folder):
    """Images per second of the median step of the run in this folder."""
    lines = map(json.loads, (Path(folder) / "metrics.jsonl").read_text().splitlines())
    rates = [line["images_per_s"] for line in lines if line["type"] == "step"]
    return statistics.median(rates[WARM_UP:])


def measure(a, size, pack, scratch):
    def run(name, *place):
        folder = os.path.join(scratch, name)
        return start(a, size, pack, folder, *place), folder

    alone = rate(*run("alone", 0))
    ranks = rate(*run("ranks", 0, 2))
    apart = [run("first", 0), run("second", 1)]
    return {"alone": alone, "ranks": ranks, "apart": sum(rate(*each) for each in apart)}


def make_pack(a, folder):
    subprocess.run([str(Path(a.bin) / "dfine-pack"), "--images", str(BCCD / "images"),
                    "--annotations", str(BCCD / "train.json"), "--output", folder],
                   check=True, capture_output=True)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", default=str(SOURCE / "build" / "release" / "bin"))
    p.add_argument("--sizes", nargs="+", default=["n", "s"])
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--steps", type=int, default=12)
    p.add_argument("--batch", type=int, default=2, help="images per rank and step")
    p.add_argument("--image-size", type=int, default=640)
    p.add_argument("--json", help="writes the numbers to this file")
    a = p.parse_args()
    got = {}
    with tempfile.TemporaryDirectory() as folder:
        pack = os.path.join(folder, "pack")
        make_pack(a, pack)
        for size in a.sizes:
            rounds = got[size] = []
            for _ in range(a.rounds):
                with tempfile.TemporaryDirectory() as scratch:
                    rounds.append(measure(a, size, pack, scratch))

            def median(of, rounds=rounds):
                return statistics.median(map(of, rounds))
            print(f"{size}  images/s: alone {median(lambda r: r['alone']):.2f}, "
                  f"ranks {median(lambda r: r['ranks']):.2f}, "
                  f"apart {median(lambda r: r['apart']):.2f};  "
                  f"ranks / 2 {median(lambda r: r['ranks'] / r['alone'] / 2):.3f}  "
                  f"ranks / apart {median(lambda r: r['ranks'] / r['apart']):.3f}", flush=True)
    if a.json:
        Path(a.json).write_text(json.dumps(got, indent=1) + "\n")


if __name__ == "__main__":
    main()
