"""What benchmarks of whole models share: the peers' models, and separate processes in turn."""
import json
import os
import subprocess
import sys
import tempfile


def official_config(size):
    """The official configuration for COCO, without a download of backbone weights."""
    sys.path.insert(0, os.environ["DFINE_OFFICIAL"])
    from src.core import YAMLConfig
    return YAMLConfig(os.path.join(os.environ["DFINE_OFFICIAL"], "configs", "dfine",
                                   f"dfine_hgnetv2_{size}_coco.yml"),
                      HGNetv2={"pretrained": False})


def transformers_model(hf_config):
    from transformers import DFineConfig, DFineForObjectDetection
    with open(hf_config) as f:
        return DFineForObjectDetection(DFineConfig(**json.load(f)))


def measure(command, names):
    """The numbers that the command prints as "NAME NUMBER", of these names."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return {k: float(v) for k, v in (line.split() for line in done.stdout.splitlines()
                                     if line.startswith(names))}


def in_turn(runs, rounds, measure_one):
    """{name: [what measure_one makes of the command, for each round]}"""
    got = {name: [] for name in runs}
    for _ in range(rounds):
        for name, command in runs.items():
            got[name].append(measure_one(command))
    return got


def for_each_size(a, shape, compare):
    """compare(a, size, shape, folder), with transformers' config.json of the size in the folder."""
    with tempfile.TemporaryDirectory() as folder:
        for size in a.sizes:
            subprocess.run([os.path.join(a.bin, "bench_step"), "--size", size,
                            "--hub-config", folder], check=True)
            compare(a, size, list(map(str, shape)), folder)
