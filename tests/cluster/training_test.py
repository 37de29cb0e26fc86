"""dfine_ddp itself on a Slurm of two nodes. Whatever stops a job of four ranks, it is requeued and
ends with the weights of an uninterrupted run, bit for bit.

    training_test.py [PART ...]
"""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import torch
from slurm_test import BIN, Training, run_parts

from slurm import NODES
from stand_in import starts


class Trainer:
    """As StandIn: a small run of the whole recipe, with a checkpoint after every second step."""

    bin = BIN

    def __init__(self, pack):
        self.pack = pack

    def command(self, run_dir, steps=12):
        settings = {
            "run.dir": run_dir, "run.threads": 1, "run.device": "cpu", "run.deterministic": "true",
            "run.lock_seconds": 10, "model.num_queries": 30,
            "data.train": self.pack, "data.val": self.pack, "data.max_images": 12,
            "data.image_size": 128, "data.batch_size": 1, "data.workers": 1,
            "data.augment": "dfine", "data.multiscale": "true", "augment.mosaic": 0.5,
            "augment.mixup": 0.5, "train.epochs": steps // 3, "train.stage2_epoch": steps // 6,
            "train.stage2_from_best": "true", "train.preflight": "false",
            "ema.enabled": "true",
            "checkpoint.every_steps": 2}
        config = Path(os.environ["DFINE_SOURCE_DIR"]) / "configs" / "n.toml"
        return ["--config", str(config),
                *(x for k, v in settings.items() for x in ("--set", f"{k}={v}"))], {}

    def weights(self, run_dir):
        state = torch.load(Path(run_dir) / "checkpoints" / "last" / "state.pth", weights_only=True)
        digest = hashlib.sha256(str(state["step"]).encode())
        for tensors in (state["model_state_dict"], state["ema"]["state_dict"]):
            for name in sorted(tensors):
                digest.update(name.encode() + tensors[name].numpy().tobytes())
        return digest.hexdigest()


class Test:
    def __init__(self, slurm, trainer, work):
        self.slurm, self.trainer, self.work = slurm, trainer, work
        self.weights = {}  # by steps

    def training(self, name, steps=12):
        return Training(self.slurm, self.trainer, self.work / name, steps=steps)

    def whole(self, steps):
        """The weights that an undisturbed run comes to."""
        if steps not in self.weights:
            run = self.training(f"whole_{steps}", steps)
            run.end(seconds=180)
            self.weights[steps] = self.trainer.weights(run.run_dir)
        return self.weights[steps]

    def complete(self, run, steps=12):
        job = run.end(seconds=180)
        assert job["Restarts"] == "1", f"{job}\n{run.text()}"
        assert self.trainer.weights(run.run_dir) == self.whole(steps), run.text()
        assert len(starts(run.run_dir)) == 2, starts(run.run_dir)

    def saved_and_requeued(self):
        run = self.training("usr1")
        run.at_step(4, seconds=60)
        self.slurm.ask("scancel", "--batch", "--signal=USR1", run.job)
        self.complete(run)
        run.says("saved, after step")
        assert starts(run.run_dir)[1] >= 4, starts(run.run_dir)

    def killed_rank(self):
        run = self.training("rank")
        run.at_step(5, seconds=60)
        os.kill(run.ranks("n2")[0], signal.SIGKILL)
        self.complete(run)
        assert starts(run.run_dir)[1] >= 2, starts(run.run_dir)

    def killed_slurmd(self):
        # Slurm needs some seconds to notice (SlurmdTimeout), and the run must not end before that.
        steps = 60
        run = self.training("slurmd", steps)
        run.at_step(5, seconds=60)
        before = [pid for node in NODES for pid in run.ranks(node)]
        self.slurm.kill_node("n2")
        run.wait("the ranks end", lambda: not set(before) & set(run.ranks("n1") + run.ranks("n2")),
                 60)
        self.slurm.start_node("n2")
        self.complete(run, steps)
        self.slurm.await_idle()


NORMAL = [Test.saved_and_requeued, Test.killed_rank]
LONG = [Test.killed_slurmd]


def with_a_pack(slurm, work):
    bccd = Path(os.environ["DFINE_SOURCE_DIR"]) / "tests" / "data" / "bccd"
    subprocess.run([BIN / "dfine-pack", "--images", bccd / "images", "--annotations",
                    bccd / "val.json", "--output", work / "pack"], check=True)
    return Test(slurm, Trainer(work / "pack"), work)


if __name__ == "__main__":
    run_parts(sys.argv[1:], NORMAL, LONG, with_a_pack)
