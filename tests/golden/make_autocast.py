"""Makes autocast.json: how far torch.autocast moves the official D-FINE's outputs, gradients and
running statistics.

    DFINE_OFFICIAL=checkout-of-Peterande/D-FINE python make_autocast.py [sizes]
    DFINE_OFFICIAL=... python make_autocast.py --cuda-lists LIBRARY [sizes]

The second form applies CUDA's lists of operations on the CPU. LIBRARY is
build/*/lib/libcuda_autocast.so, which our test links too (tests/support/cuda_autocast.cpp).

Weights, images and denoising draws as in make_parity.py. The denoising queries' outputs are
compared, because rounding does not change their order. The gradients are those of a sum of them
with hashed factors, which has no matching that rounding could tip over.
"""
import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import make_parity  # noqa: E402
import official  # noqa: E402
import torch  # noqa: E402
from hashed import name_seed, signed  # noqa: E402

CASE = {"counts": [4, 1], "dn": 20}
TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def run(size, res, dtype):
    """(named outputs, gradients, running statistics); in single precision without a dtype."""
    with official.exact_order_and_precision(torch.float32):
        model, _ = make_parity.make_model(size, res, torch.float32, CASE["dn"])
        images, targets = make_parity.make_batch(CASE["counts"], res, torch.float32)
        labels, boxes = make_parity.draws(0)
        with labels, boxes, torch.autocast("cpu", dtype=dtype or torch.bfloat16,
                                           enabled=dtype is not None):
            output = model(images, targets=targets)
        last = output["dn_outputs"][-1]
        outputs = {"logits": last["pred_logits"], "boxes": last["pred_boxes"],
                   "corners": last["pred_corners"],
                   "pre_boxes": output["dn_pre_outputs"]["pred_boxes"]}
        sum((v.float() * torch.tensor(signed(name_seed(k), *v.shape)).float()).sum()
            for k, v in outputs.items()).backward()
    return ({k: v.detach().double() for k, v in outputs.items()},
            {k: g.double() for k, g in official.gradients(model).items()},
            {k: v.double() for k, v in model.named_buffers()
             if k.endswith(("running_mean", "running_var"))})


def distance(found, exact):
    """Relative, in the Euclidean norm over all tensors."""
    gap = sum(float((found[k] - v).square().sum()) for k, v in exact.items())
    return (gap / sum(float(v.square().sum()) for v in exact.values())) ** 0.5


def errors(size, res):
    outputs, gradients, statistics = run(size, res, None)
    result = {}
    for name, dtype in TYPES.items():
        got, got_gradients, got_statistics = run(size, res, dtype)
        result[name] = {k: distance({k: got[k]}, {k: v}) for k, v in outputs.items()}
        result[name]["gradients"] = distance(got_gradients, gradients)
        result[name]["statistics"] = distance(got_statistics, statistics)
    return result


def use_cuda_lists(library):
    """For the rest of the process. Checks that they are in force: softmax runs in fp32 there."""
    torch.ops.load_library(library)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.ones(2, dtype=torch.bfloat16).softmax(0).dtype == torch.float32


def main():
    arguments = sys.argv[1:]
    key = "sizes"
    if arguments[:1] == ["--cuda-lists"]:
        use_cuda_lists(arguments[1])
        key, arguments = "sizes_with_cuda_lists", arguments[2:]
    torch.manual_seed(0)
    path = os.path.join(HERE, "autocast.json")
    result = json.load(open(path)) if os.path.exists(path) else CASE
    sizes = result.setdefault(key, {})
    for size in arguments[0] if arguments else "nl":
        res = 128 if size == "n" else 96
        sizes[size] = {"res": res, **errors(size, res)}
        print(size, json.dumps(sizes[size]), flush=True)
    with open(path, "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
