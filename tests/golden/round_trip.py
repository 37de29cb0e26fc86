"""Checkpoints of the official code go through dfine-weights and come back bit for bit; the official
trainer and tools take what comes back.
"""
import os
import subprocess
import tempfile

import official
import torch
from make_official_state import model_of
from src.optim.ema import ModelEMA
from src.solver._solver import BaseSolver

PROGRAM = os.path.join(os.environ["DFINE_BINARY_DIR"], "dfine-weights")
CONSTANTS = (".up", ".reg_scale", ".anchors", ".valid_mask")


def convert(source, target, layout):
    subprocess.run([PROGRAM, "convert", source, target, "--to", layout], check=True,
                   stdout=subprocess.DEVNULL)


def same(where, found, expected):
    assert found.keys() == expected.keys(), (where, sorted(found.keys() ^ expected.keys())[:5])
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), (where, name)


def random_solver(size, seed):
    """The official trainer with a model and an EMA that differ from each other."""
    solver = BaseSolver.__new__(BaseSolver)
    solver.last_epoch = -1
    solver.model = model_of(size)
    solver.ema = ModelEMA(solver.model)
    generator = torch.Generator().manual_seed(seed)
    for module in (solver.model, solver.ema.module):
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point() and not name.endswith(CONSTANTS):
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
            elif name.endswith("num_batches_tracked"):
                tensor.fill_(seed + len(name))
    return solver


def check(size, folder):
    trained, fresh = random_solver(size, 1), random_solver(size, 2)
    path, hub, back = (os.path.join(folder, size + end) for end in (".pth", "", "_back.pth"))
    torch.save(trained.state_dict(), path)
    expected = trained.ema.module.state_dict()
    convert(path, hub, "hub")
    convert(hub, back, "official")
    checkpoint = torch.load(back, map_location="cpu")
    same(size + " ema.module", checkpoint["ema"]["module"], expected)
    same(size + " model", checkpoint["model"], expected)
    # tools/inference and tools/deployment/export_onnx.py
    model_of(size).load_state_dict(checkpoint["ema"]["module"])
    with official.contextlib.redirect_stdout(None):
        fresh.load_resume_state(back)  # train.py -r
        same(size + " -r", fresh.model.state_dict(), expected)
        same(size + " -r, EMA", fresh.ema.module.state_dict(), expected)
        fresh = random_solver(size, 3)
        fresh.load_tuning_state(back)  # train.py -t
        same(size + " -t", fresh.model.state_dict(), expected)
    # A bare state dict.
    bare, direct = os.path.join(folder, "bare.pth"), os.path.join(folder, "direct.pth")
    torch.save(expected, bare)
    convert(bare, direct, "official")
    same(size + " bare", torch.load(direct)["model"], expected)


def main():
    for size in "nsmlx":
        with tempfile.TemporaryDirectory() as folder:
            check(size, folder)
        print("round trip of", size, flush=True)


if __name__ == "__main__":
    main()
