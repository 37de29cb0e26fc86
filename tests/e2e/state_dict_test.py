"""state.pth as transformers 4.57 loads it:
DFineForObjectDetection.load_state_dict(torch.load(FILE)["model_state_dict"]), strictly, for the
smallest and a large model, with and without denoising. The same folder through from_pretrained() of
transformers 5, and dfine-predict.
"""
import json
import os
import subprocess
import sys

import torch
from PIL import Image
from torchvision.transforms.functional import pil_to_tensor

from common import BCCD, SOURCE, Workspace, pack, run, subset

SIDE = 128  # of the image too: nothing is resized


def logits_of(model, image):
    with torch.no_grad():
        out = model.eval()(pil_to_tensor(Image.open(image))[None] / 255)
    return torch.cat([out.logits, out.pred_boxes], -1)


def load_strictly(folder, image, output):
    """In transformers 4.57."""
    import transformers
    from transformers import DFineConfig, DFineForObjectDetection

    assert transformers.__version__.startswith("4.57."), transformers.__version__
    state = torch.load(os.path.join(folder, "state.pth"), weights_only=True)
    model = DFineForObjectDetection(DFineConfig.from_pretrained(folder))
    assert not torch.equal(model.class_embed[0].weight,
                           state["model_state_dict"]["class_embed.0.weight"])
    model.load_state_dict(state["model_state_dict"])
    torch.save(logits_of(model, image), output)
    if state["ema"] is not None:
        model.load_state_dict(state["ema"]["state_dict"])
    # As many bytes as there are tensors, not as there are names.
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes()
                for t in state["model_state_dict"].values()}
    moments = sum(t.untyped_storage().nbytes()
                  for m in state["optimizer_state_dict"]["state"].values() for t in m.values())
    size, needed = os.path.getsize(os.path.join(folder,
                                                "state.pth")), sum(storages.values()) + moments
    if state["ema"] is not None:
        needed += sum(storages.values())
    assert size < needed * 1.02 + 1_000_000, (size, needed)


def train(ws, size, denoising):
    folder = ws(f"{size}-{denoising}")
    keys = {"run.dir": folder, "run.device": "cpu", "data.train": ws("train"),
            "data.image_size": SIDE, "data.batch_size": 2,
            "data.workers": 0, "model.size": size, "model.num_queries": 50,
            "model.num_denoising": denoising, "train.epochs": 1, "optim.lr": 1e-4,
            "validate.every_epochs": 0, "train.preflight": "false", "ema.enabled": "true"
            if size == "n" else "false"}
    run("dfine_ddp", "--config", os.path.join(SOURCE, "configs", "n.toml"),
        *(x for k, v in keys.items() for x in ("--set", f"{k}={v}")))
    return os.path.join(folder, "checkpoints", "last")


def check(ws, size, denoising):
    import transformers
    from transformers import DFineForObjectDetection

    assert transformers.__version__.startswith("5."), transformers.__version__
    last, image, found = train(ws, size, denoising), ws("image.png"), ws("found.pt")
    environment = {**os.environ, "PYTHONPATH": os.environ["DFINE_TRANSFORMERS4"]}
    subprocess.run([sys.executable, __file__, "load", last, image, found], check=True,
                   env=environment)
    strict = torch.load(found, weights_only=True)
    model, info = DFineForObjectDetection.from_pretrained(last, output_loading_info=True)
    assert (not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))), (
        info
    )
    assert hasattr(model.model, "denoising_class_embed") == (denoising > 0)
    # 4.57 got the raw weights, which from_pretrained finds where there is no EMA.
    if size != "n":
        here = logits_of(model, image)
        assert (strict - here).abs().max() < 1e-4, (strict - here).abs().max()
        run("dfine-predict", "--weights", last, "--images", image, "--threshold", 0,
            "--output", ws("out"), "--device", "cpu")
        with open(ws("out", "predictions.json")) as f:
            ours = torch.tensor([p["score"] for p in json.load(f)])
        theirs = strict[0, :, :-4].sigmoid().flatten().sort(descending=True).values[:len(ours)]
        assert (len(ours) == min(300, 50 * 3) and (ours - theirs).abs().max()
                < 1e-4), (ours - theirs).abs().max()


def resumes_only_with_the_same_class_embedding(ws):
    keys = {"run.dir": ws("again"), "run.device": "cpu", "data.train": ws("train"),
            "data.image_size": SIDE, "data.batch_size": 2, "data.workers": 0,
            "model.num_queries": 50, "train.epochs": 2, "validate.every_epochs": 0,
            "train.preflight": "false", "ema.enabled": "true"}
    arguments = ["--config", os.path.join(SOURCE, "configs", "n.toml"),
                 *(x for k, v in keys.items() for x in ("--set", f"{k}={v}"))]
    for saved, other in ((0, 100), (100, 0)):
        out = run("dfine_ddp", *arguments, "--set", f"model.num_denoising={other}",
                  "--resume", ws(f"n-{saved}", "checkpoints", "last"), expect=1)
        assert ("[checkpoint_mismatch]" in out and f"model.num_denoising: {saved} " in out
                and f", {other} now" in out), out
    run("dfine_ddp", *arguments, "--set", "model.num_denoising=0",
        "--resume", ws("n-0", "checkpoints", "last"))
    # Weights of either kind start either kind of run.
    for saved, other in ((0, 100), (100, 0)):
        out = run("dfine_ddp", *arguments, "--set", f"model.num_denoising={other}",
                  "--set", "train.epochs=1", "--set",
                  f"model.weights={ws(f'n-{saved}', 'checkpoints', 'last')}")
        assert ("denoising_class_embed.weight" in out) == (saved == 0), out


def main():
    with Workspace() as ws:
        subset("train", 2, ws("train.json"))
        pack(ws("train.json"), ws("train"))
        name = min(os.listdir(os.path.join(BCCD, "images")))
        Image.open(os.path.join(BCCD, "images",
                                name)).convert("RGB").resize((SIDE, SIDE)).save(ws("image.png"))
        for size, denoising in (("n", 100), ("n", 0), ("l", 100), ("l", 0)):
            check(ws, size, denoising)
            print(size, denoising, "passed", flush=True)
        resumes_only_with_the_same_class_embedding(ws)
    print("all passed")


if __name__ == "__main__":
    if sys.argv[1:2] == ["load"]:
        load_strictly(*sys.argv[2:])
    else:
        main()
