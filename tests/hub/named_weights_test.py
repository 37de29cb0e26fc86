"""Weights by name: what dfine-weights fetched opens in transformers offline, what huggingface_hub
fetched is found, and all programs take names.
"""
import hashlib
import os
import subprocess
import sys

from hub_server import COMMIT, Hub, Repository

sys.path.insert(0, os.path.join(os.environ["DFINE_SOURCE_DIR"], "tests", "e2e"))
sys.path.insert(0, os.path.join(os.environ["DFINE_SOURCE_DIR"], "tests", "weights"))
from common import BCCD, BIN, SOURCE, Workspace, pack, subset

MODEL = "org/tiny"
MAKE = """
import sys, torch
from hf_sizes import reference_config
from transformers import DFineForObjectDetection, RTDetrImageProcessor
torch.manual_seed(0)
names = {0: "RBC", 1: "WBC", 2: "Platelets"}
DFineForObjectDetection(reference_config("n", id2label=names, label2id={
    name: i for i, name in names.items()})).save_pretrained(sys.argv[1])
RTDetrImageProcessor(size={"height": 320, "width": 320}).save_pretrained(sys.argv[1])
"""
OPEN = """
import sys, torch
from transformers import AutoImageProcessor, DFineForObjectDetection
found, given = (DFineForObjectDetection.from_pretrained(a).state_dict() for a in sys.argv[1:])
assert given and found.keys() == given.keys()
assert all(torch.equal(found[name], tensor) for name, tensor in given.items())
size = AutoImageProcessor.from_pretrained(sys.argv[1]).size
assert (size["height"], size["width"]) == (320, 320), size
"""
BACKBONE = """
import sys, timm, torch
from safetensors.torch import save_file
torch.manual_seed(1)
save_file(timm.create_model("hgnetv2_b0").state_dict(), sys.argv[1])
"""
DOWNLOAD = """
import sys
from huggingface_hub import hf_hub_download
for name in ("config.json", "preprocessor_config.json", "model.safetensors"):
    print(hf_hub_download(sys.argv[1], name))
"""


def main():
    with Workspace() as ws:
        base = {**os.environ, "HOME": ws("home"), "HF_HUB_DISABLE_TELEMETRY": "1",
                "HF_HUB_DISABLE_XET": "1",
                "PYTHONPATH": os.path.join(SOURCE, "tests", "weights")}
        for name in [n for n in base if n.startswith(("HF_HO", "HF_TOK", "XDG_"))]:
            del base[name]

        def run(*command, expect=0, ranks=0, **env):
            if not os.path.isabs(command[0]):
                command = (os.path.join(BIN, command[0]), *command[1:])
            if ranks:
                command = ("mpirun", "-np", str(ranks), "--bind-to", "none", "--oversubscribe",
                           *command)
            done = subprocess.run(command, env={**base, **env}, text=True, timeout=300,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ws.path)
            assert done.returncode == expect, (command, done.returncode, done.stdout)
            return done.stdout

        def python(script, *arguments, **env):
            return run(sys.executable, "-W", "ignore", "-c", script, *arguments, **env)

        os.mkdir(ws("home"))
        python(MAKE, ws("model"))
        files = {}
        for name in os.listdir(ws("model")):
            with open(ws("model", name), "rb") as f:
                files[name] = f.read()
        checksum = hashlib.sha256(files["model.safetensors"]).hexdigest()

        with Hub({MODEL: Repository(files)}) as hub:
            ours = {"HF_HOME": ws("ours"), "HF_ENDPOINT": hub.endpoint}
            theirs = {"HF_HOME": ws("theirs"), "HF_ENDPOINT": hub.endpoint}

            # Ours, and transformers without a network.
            run("dfine-weights", "fetch", MODEL, **ours)
            count = len(hub.requests)
            python(OPEN, MODEL, ws("model"), HF_HUB_OFFLINE="1", **ours)
            # Theirs, and our programs without a network.
            python(DOWNLOAD, MODEL, **theirs)
            assert len(hub.requests) > count
            count = len(hub.requests)
            shown = run("dfine-weights", "show", MODEL, HF_HUB_OFFLINE="1", **theirs)
            for value in (f"{checksum} (as the Hub announced)", "D-FINE-N", "input: 320x320",
                          "classes: 3", "0  RBC", "1  WBC", "2  Platelets"):
                assert value in shown, shown
            at_commit = run("dfine-weights", "show", f"{MODEL}@{COMMIT}", **theirs)
            assert shown.partition("file: ")[2] == at_commit.partition("file: ")[2], at_commit
            # huggingface_hub finds ours complete too: it fetches nothing again.
            python(DOWNLOAD, MODEL, **ours)
            assert not [r for r in hub.requests[count:] if r[1] == "GET"]

            # Training on two ranks, two jobs at a time: one transfer.
            subset("train", 4, ws("train.json"))
            pack(ws("train.json"), ws("train"))
            keys = {"run.device": "cpu", "run.threads": 1, "data.train": ws("train"),
                    "validate.every_epochs": 0, "data.image_size": 128, "data.batch_size": 2,
                    "data.workers": 0, "data.augment": "none", "model.num_queries": 60,
                    "ema.enabled": "false", "train.preflight": "false"}

            def train(folder, model, resume="none", steps=1, backbone="", **more):
                chosen = {**keys, "run.dir": ws(folder), "model.weights": model,
                          "model.backbone_weights": backbone, "train.max_steps": steps}
                return run("dfine_ddp", "--config", os.path.join(SOURCE, "configs", "n.toml"),
                           "--resume", resume,
                           *(x for k, v in chosen.items() for x in ("--set", f"{k}={v}")), **more)

            jobs = {"HF_HOME": ws("jobs"), "HF_ENDPOINT": hub.endpoint}
            hub.requests.clear()
            first = subprocess.Popen(
                [os.path.join(BIN, "dfine-weights"), "fetch", MODEL], env={**base, **jobs},
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            said = train("run", MODEL, ranks=2, **jobs)
            assert first.wait(60) == 0
            assert len(hub.seen("files", "GET")) == 1
            assert said.count(f"model.weights = {MODEL}: commit {COMMIT}") == 1, said
            assert "3 of 3 classes" in said, said
            with open(ws("run", "config.toml")) as f:
                assert f'weights = "{MODEL}"' in f.read()
            # A run that continues needs neither Hub nor cache.
            said = train("run", MODEL, ranks=2, resume="auto", steps=2, HF_HOME=ws("none"),
                         HF_HUB_OFFLINE="1")
            assert "after step 1" in said and not os.path.exists(ws("none")), said

            # A backbone by name, in timm's layout.
            python(BACKBONE, ws("backbone.safetensors"))
            with open(ws("backbone.safetensors"), "rb") as f:
                hub.repositories["timm/hgnetv2_b0.test"] = Repository(
                    {"config.json": b'{"architecture": "hgnetv2_b0"}',
                     "model.safetensors": f.read()})
            said = train("scratch", "", **jobs, backbone="timm/hgnetv2_b0.test")
            assert "model.backbone_weights = timm/hgnetv2_b0.test: commit" in said, said
            assert "backbone: " in said, said

            # One error of all ranks, with both readings.
            said = train("none", "org/none", expect=1, ranks=2, **jobs)
            for value in ("[file_missing]", "As a path", "As a model", "org/none"):
                assert value in said, said
            assert said.count("[file_missing]") == 1, said
            said = train("none", "org/none/more", expect=1, **jobs)
            assert "[file_missing]" in said and "ORG/NAME" in said, said
            said = train("none", "dfine-s-obj36", expect=1, **jobs)
            assert "dfine-s-obj365" in said, said

            # An existing folder goes before the model of the same name; so does ./NAME.
            os.makedirs(ws("org", "none"))
            for path in ("org/none", "./org/other", "~/org/none", ws("absent")):
                hub.requests.clear()
                said = run("dfine-weights", "show", path, expect=1, **jobs)
                assert "[file_missing]" in said and not hub.requests, said

            # The other programs.
            offline = {**jobs, "HF_HUB_OFFLINE": "1"}
            image = os.path.join(BCCD, "images", min(os.listdir(f"{BCCD}/images")))
            said = run("dfine-predict", "--weights", MODEL, "--images", image, "--device", "cpu",
                       "--format", "text", **offline)
            assert COMMIT in said, said
            run("dfine-eval", "--weights", MODEL, "--data", ws("train"), "--device", "cpu",
                **offline)
            listed = run("dfine-weights", "list", **offline)
            assert "ustc-community/dfine-large-obj2coco-e25" in listed, listed
            assert not any(line.endswith("cache") for line in listed.splitlines()), listed

            # Classes of config.json that are not those of the tensors.
            wrong = files["config.json"].replace(b'"Platelets"\n', b'"Platelets",\n    "3": "x"\n')
            assert wrong != files["config.json"]
            hub.repositories["org/wrong"] = Repository({**files, "config.json": wrong})
            said = run("dfine-weights", "show", "org/wrong", expect=1, **jobs)
            assert "[class_mismatch]" in said, said
    print("all passed")


main()
