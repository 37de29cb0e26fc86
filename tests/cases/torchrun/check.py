import os
import sys

MPIRUN = "mpirun -np 2 --bind-to none dfine_ddp --config FILE.toml"


def check(case):
    with open(case("run.toml"), "w") as f:
        f.write('[run]\ndir = "run"\n[data]\ntrain = "train"\nval = "val"\n')
    by_hand = {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"}
    for arguments in ([], ["--preview", 1], ["--find-lr"]):
        out = case.run("dfine_ddp", "--config", "run.toml", *arguments, expect=1, env=by_hand)
        assert "WORLD_SIZE = 2" in out and MPIRUN in out, out

    torchrun = (sys.executable, "-m", "torch.distributed.run", "--no-python", "--nproc-per-node=2")
    out = case.run("dfine_ddp", "--config", "run.toml", expect=1, shell_prefix=torchrun)
    assert MPIRUN in out, out
    assert not os.path.exists(case("run"))

    alone = {"WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0"}
    assert 'dir = "run"' in case.run("dfine_ddp", "--config", "run.toml",
                                     "--print-config", env=alone)
