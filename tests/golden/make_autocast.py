"""Makes autocast.json: how far torch.autocast moves the official D-FINE's outputs and gradients from those in single precision.

    DFINE_OFFICIAL=checkout-of-Peterande/D-FINE python make_autocast.py [sizes]

Weights, images and denoising draws as in make_parity.py. The denoising queries' outputs are compared, because rounding does not change
their order. The loss is computed in single precision from outputs cast up.
"""
import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import torch  # noqa: E402
import make_parity  # noqa: E402
import official  # noqa: E402

CASE = {"counts": [3, 5, 0, 1], "dn": 20}
TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def cast_up(x):
    if isinstance(x, torch.Tensor):
        return x.float() if x.is_floating_point() else x
    if isinstance(x, dict):
        return {k: cast_up(v) for k, v in x.items()}
    return [cast_up(v) for v in x] if isinstance(x, list) else x


def run(size, res, dtype):
    """(named outputs, gradients); in single precision without a dtype."""
    with official.exact_order_and_precision(torch.float32):
        model, criterion = make_parity.make_model(size, res, torch.float32, CASE["dn"])
        images, targets = make_parity.make_batch(CASE["counts"], res, torch.float32)
        labels, boxes = make_parity.draws(0)
        with labels, boxes, torch.autocast("cpu", dtype=dtype or torch.bfloat16, enabled=dtype is not None):
            output = model(images, targets=targets)
        output = cast_up(output)
        sum(criterion(output, targets).values()).backward()
    last = output["dn_outputs"][-1]
    outputs = {"logits": last["pred_logits"], "boxes": last["pred_boxes"], "corners": last["pred_corners"],
               "pre_boxes": output["dn_pre_outputs"]["pred_boxes"]}
    return {k: v.detach().double() for k, v in outputs.items()}, {k: g.double() for k, g in official.gradients(model).items()}


def distance(found, exact):
    """Relative, in the Euclidean norm over all tensors."""
    gap = sum(float((found[k] - v).square().sum()) for k, v in exact.items())
    return (gap / sum(float(v.square().sum()) for v in exact.values())) ** 0.5


def errors(size, res):
    outputs, gradients = run(size, res, None)
    result = {}
    for name, dtype in TYPES.items():
        got, got_gradients = run(size, res, dtype)
        result[name] = {k: distance({k: got[k]}, {k: v}) for k, v in outputs.items()}
        result[name]["gradients"] = distance(got_gradients, gradients)
    return result


def main():
    torch.manual_seed(0)
    path = os.path.join(HERE, "autocast.json")
    result = json.load(open(path)) if os.path.exists(path) else {**CASE, "sizes": {}}
    for size in sys.argv[1] if len(sys.argv) > 1 else "nsmlx":
        res = 128 if size == "n" else 96
        result["sizes"][size] = {"res": res, **errors(size, res)}
        print(size, json.dumps(result["sizes"][size]), flush=True)
    with open(path, "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
