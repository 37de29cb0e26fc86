"""checkpoint_check.py CHECKPOINT EXPECTED: opens a checkpoint of a D-FINE-N with transformers and
PyTorch.

EXPECTED is a safetensors file with the raw weights (raw.NAME), the EMA weights (ema.NAME) and the
gradients of the next step (grad.INDEX).
"""
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoImageProcessor, DFineForObjectDetection

folder, expected = sys.argv[1], load_file(sys.argv[2])
raw = {k[4:]: v for k, v in expected.items() if k.startswith("raw.")}
ema = {k[4:]: v for k, v in expected.items() if k.startswith("ema.")}

model, info = DFineForObjectDetection.from_pretrained(folder, output_loading_info=True)
assert (not info["missing_keys"] and not info["unexpected_keys"]
        and not info["mismatched_keys"]), info
assert model.config.id2label == {0: "red cell", 1: "white cell",
                                 2: "platelet"}, model.config.id2label
AutoImageProcessor.from_pretrained(folder)
model.save_pretrained(folder + "-again")  # in the spelling of files
again = load_file(folder + "-again/model.safetensors")
assert set(again) == set(ema), set(again) ^ set(ema)
for name, value in ema.items():
    assert torch.equal(again[name], value), name
with torch.no_grad():
    assert torch.isfinite(model.eval()(torch.rand(1, 3, 320, 320)).logits).all()

state = torch.load(folder + "/state.pth", weights_only=True)
assert state["epoch"] == 4 and state["step"] == 9, state.keys()
tied = {name: name[len("model.decoder."):] for name in raw
        if name.startswith(("model.decoder.class_embed.", "model.decoder.bbox_embed."))}
assert len(tied) == 3 * 2 + 3 * 6, tied
assert set(state["model_state_dict"]) == set(raw) | set(tied.values())
for first, second in tied.items():
    assert (state["model_state_dict"][first].data_ptr()
            == state["model_state_dict"][second].data_ptr()), first
for name, value in raw.items():
    assert torch.equal(state["model_state_dict"][name], value), name
for name, value in ema.items():
    assert torch.equal(state["ema"]["state_dict"][name], value), name

saved = state["optimizer_state_dict"]
group = saved["param_groups"][0]
parameters = [torch.nn.Parameter(raw[name].clone()) for name in group["param_names"]]
optimizer = torch.optim.AdamW(parameters)
reference = set(optimizer.state_dict()["param_groups"][0])
assert reference <= set(group), reference - set(group)
optimizer.load_state_dict(saved)
assert (optimizer.param_groups[0]["lr"] == 1e-3 and tuple(optimizer.param_groups[0]["betas"])
        == (0.9, 0.999))
for i, p in enumerate(parameters):
    p.grad = expected[f"grad.{i}"] if f"grad.{i}" in expected else None
optimizer.step()
for i, p in enumerate(parameters):
    assert (optimizer.state[p]["step"] == 2 if p.grad is not None else p not in optimizer.state
            or not optimizer.state[p]), i
    error = (p.detach() - expected[f"next.{i}"]).abs().max().item()
    assert error <= 1e-6, (i, group["param_names"][i], error)  # a rounding of values near 1
