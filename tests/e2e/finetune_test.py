"""Training from a checkpoint that transformers made for other classes: which rows its class heads
start from, and what is frozen.
"""
import os
import sys

import torch
from safetensors.torch import load_file
from transformers import DFineForObjectDetection

from common import SOURCE, Workspace, pack, run, subset

sys.path.insert(0, os.path.join(SOURCE, "tests", "weights"))
from hf_sizes import reference_config

GIVEN = ["person", "platelets", "cat", "rbc", "dog"]
CLASSES = ["RBC", "WBC", "Platelets"]
ROWS = [3, None, 1]  # of GIVEN
FRESH_BIAS = -4.59511985  # log(0.01 / 0.99)


def class_heads(tensors):
    return {k for k in tensors if any(part in k for part in ("enc_score_head", "class_embed"))}


def main():
    with Workspace() as ws:
        subset("train", 4, ws("train.json"))
        pack(ws("train.json"), ws("train"))
        torch.manual_seed(0)
        model = DFineForObjectDetection(reference_config(
            "n", id2label=dict(enumerate(GIVEN)), label2id={n: i for i, n in enumerate(GIVEN)}))
        with torch.no_grad():
            for name, p in model.named_parameters():  # biases too are distinguished by their rows
                if "score_head.bias" in name or ("class_embed" in name and name.endswith("bias")):
                    p.copy_(torch.arange(len(p), dtype=p.dtype))
        model.save_pretrained(ws("weights"))
        given = load_file(ws("weights", "model.safetensors"))

        def train(name, *more, expect=0):
            """One step with a learning rate that leaves the weights where they are, up to rounding;
            returns (what was printed, the weights).
            """
            keys = {"run.dir": ws(name), "run.device": "cpu", "run.threads": 1,
                    "data.train": ws("train"), "validate.every_epochs": 0,
                    "data.image_size": 128, "data.batch_size": 2, "data.workers": 0,
                    "data.augment": "none", "model.num_queries": 60,
                    "model.weights": ws("weights"), "train.max_steps": 1, "ema.enabled": "false",
                    "optim.lr": 1e-12,
                    "optim.backbone_lr": "auto", "optim.weight_decay": 0}
            out = run("dfine_ddp", "--config", os.path.join(SOURCE, "configs", "n.toml"),
                      *(x for k, v in keys.items() for x in ("--set", f"{k}={v}")),
                      *(x for m in more for x in ("--set", m)), expect=expect)
            return (out, load_file(ws(name, "checkpoints", "last", "model.safetensors"))
                    if expect == 0 else None)

        out, found = train("by_name")
        for line in ("2 of 3 ", "RBC        rbc", "WBC        new", "Platelets  platelets"):
            assert line in out, out
        heads = class_heads(found)
        assert len(heads) == 2 + 1 + 2 * 3 and found.keys() == given.keys(), (
            heads, found.keys() ^ given.keys())
        for name in heads:
            mine, theirs = found[name], given[name]
            for label, row in enumerate(ROWS):
                if row is not None:
                    assert torch.allclose(mine[label], theirs[row], rtol=0,
                                          atol=1e-9), (name, label)
                elif mine.dim() == 1:
                    assert abs(mine[label] - FRESH_BIAS) < 1e-6, (name, mine)
                else:
                    # no row of the weights
                    assert (mine[label] - theirs).abs().amax(1).min() > 1e-3, (name, label)
            if "denoising" in name:
                assert torch.equal(mine[-1], theirs[-1]), name
        for name in found.keys() - heads:
            if (found[name].is_floating_point()
                and not name.endswith(("running_mean", "running_var"))):
                assert torch.allclose(found[name], given[name], rtol=0, atol=1e-9), name

        out, found = train("new", "model.class_heads=new")
        assert "class heads" in out and " new" in out, out
        for name in class_heads(found):
            if found[name].dim() == 1:
                assert torch.allclose(found[name], torch.tensor(FRESH_BIAS)), name
        out, _ = train("by_index", "model.class_heads=by_index", expect=1)
        assert "[class_mismatch]" in out and "5 classes" in out and " 3" in out, out

        # Frozen: neither weights nor statistics move, at a learning rate that moves the rest.
        out, found = train("frozen", 'model.freeze=["model.backbone.*", "encoder_input_proj"]',
                           "optim.lr=1e-2", "optim.warmup_steps=0")
        moved = 0
        for name in found.keys() - class_heads(found):
            if name.startswith(("model.backbone.", "model.encoder_input_proj.")):
                assert torch.equal(found[name], given[name]), name
            elif not torch.equal(found[name], given[name]):
                moved += 1
        assert moved > 100, moved
        assert '"backbnoe" [bad_value]' in train("typo", 'model.freeze=["backbnoe"]', expect=2)[0]
    print("all passed")


if __name__ == "__main__":
    main()
