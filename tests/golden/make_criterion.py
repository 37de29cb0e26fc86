"""Makes criterion.json: what the official D-FINE criterion says to head outputs made by a formula
(tests/loss/synthetic.cpp is its twin).

    DFINE_OFFICIAL=checkout-of-Peterande/D-FINE python make_criterion.py

Per case and precision: every weighted term, and for each head output the norm of the total's
gradient and its product with two hashed tensors. Equal votes in the union are ordered stably here
(query, then box), which the official argsort leaves open.
"""
import contextlib
import json
import os
import sys

import numpy as np

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.environ["DFINE_OFFICIAL"]]
import torch  # noqa: E402
from hashed import signed, uniform  # noqa: E402
from src.zoo.dfine.denoising import get_contrastive_denoising_training_group  # noqa: E402
from src.zoo.dfine.dfine_criterion import DFINECriterion  # noqa: E402
from src.zoo.dfine.matcher import HungarianMatcher  # noqa: E402

CLASSES, REG_MAX = 4, 32
WEIGHTS = {"loss_vfl": 1, "loss_bbox": 5, "loss_giou": 2, "loss_fgl": 0.15, "loss_ddf": 1.5}
# counts of boxes, queries, layers, num_denoising, reg_scale, whether layer 0 equals the teacher
CASES = {
    "one_image_0": dict(counts=[0]),
    "one_image_0_dn": dict(counts=[0], dn=100),
    "one_image_1": dict(counts=[1]),
    "one_image_1_dn": dict(counts=[1], dn=100),
    "one_image_60": dict(counts=[60]),
    "one_image_60_dn": dict(counts=[60], dn=100),
    "four_images_0": dict(counts=[0, 0, 0, 0]),
    "four_images_1_dn": dict(counts=[1, 1, 1, 1], dn=100),
    "four_images_60": dict(counts=[60, 60, 60, 60]),
    "four_images_60_dn": dict(counts=[60, 60, 60, 60], dn=100),
    "mixed": dict(counts=[7, 0, 60, 1]),
    "mixed_dn": dict(counts=[7, 0, 60, 1], dn=100),
    "six_layers_dn": dict(counts=[3, 8], layers=6, dn=40, reg_scale=8.0),
    "more_boxes_than_queries": dict(counts=[12, 2], queries=8),
    "every_query_matched": dict(counts=[8], queries=8, dn=10),
    "student_is_teacher_dn": dict(counts=[5, 2], dn=20, equal=True),
}


def make_targets(counts, dtype):
    total = sum(counts)
    boxes = np.concatenate([0.5 + 0.35 * signed(1, total, 2), 0.15 + 0.1 * signed(2, total, 2)], 1)
    labels = np.floor(uniform(3, total) * CLASSES).astype(np.int64)
    return [{"labels": l, "boxes": b} for l, b in zip(torch.tensor(labels).split(counts),
                                                      torch.tensor(boxes).to(dtype).split(counts))]


def near(targets, queries):
    """[B, queries, 4] float64: query q lies on box 5 q mod n of its image, or on the middle of an
    empty one.
    """
    out = np.empty((len(targets), queries, 4))
    for b, t in enumerate(targets):
        n = len(t["boxes"])
        out[b] = (t["boxes"].double().numpy()[5 * np.arange(queries) % n]
                  if n else [0.5, 0.5, 0.2, 0.2])
    return out


def make_head(seed, centres, corners, dtype):
    """Random logits; boxes ever further from their centres, every 13th with a negative width;
    references, every 11th without height.
    """
    b, q, _ = centres.shape
    boxes = centres + (0.01 + 0.03 * (np.arange(q) % 5))[None, :, None] * signed(seed, b, q, 4)
    boxes[:, ::13, 2] *= -1
    head = {"pred_logits": 3 * signed(seed + 1, b, q, CLASSES) - 1, "pred_boxes": boxes}
    if corners:
        head["pred_corners"] = 2 * signed(seed + 2, b, q, 4 * (REG_MAX + 1))
    return {k: torch.tensor(v).to(dtype) for k, v in head.items()}


def make_refs(seed, centres, dtype):
    refs = centres + 0.05 * signed(seed, *centres.shape)
    refs[:, ::11, 3] = 0
    return torch.tensor(refs).to(dtype)


def make_output(targets, queries, layers, dn, reg_scale, equal, dtype):
    """The official model's output dict, and the tensors by name in which gradients are taken."""
    leaves = {}

    def heads(prefix, seed, centres):
        ref = make_refs(seed + 90, centres, dtype)
        made = [make_head(seed + 10 * i, centres, True, dtype) for i in range(layers)]
        if equal:
            made[0]["pred_corners"] = made[-1]["pred_corners"].clone()
        made.append(make_head(seed + 80, centres, False, dtype))
        for name, head in zip([f"{prefix}{i}" for i in range(layers)] + [f"{prefix}pre"], made):
            leaves.update({f"{name}.{k[5:]}": v.requires_grad_() for k, v in head.items()})
        for head in made[:-1]:
            head["ref_points"] = ref
        for head in made[:-1] if prefix else made[:-2]:
            head.update(teacher_corners=made[-2]["pred_corners"],
                        teacher_logits=made[-2]["pred_logits"])
        return made[:-1], made[-1]

    centres = near(targets, queries)
    normal, pre = heads("", 100, centres)
    enc = make_head(300, centres, False, dtype)
    leaves.update({f"enc.{k[5:]}": v.requires_grad_() for k, v in enc.items()})
    out = {**normal[-1], "up": torch.tensor([0.5], dtype=dtype),
           "reg_scale": torch.tensor([reg_scale], dtype=dtype),
           "aux_outputs": normal[:-1], "pre_outputs": pre, "enc_aux_outputs": [enc],
           "enc_meta": {"class_agnostic": False}}
    embed = torch.nn.Embedding(CLASSES + 1, 8, padding_idx=CLASSES)
    meta = get_contrastive_denoising_training_group(targets, CLASSES, queries, embed,
                                                    num_denoising=dn)[3]
    if meta is not None and meta["dn_num_group"]:
        out["dn_outputs"], out["dn_pre_outputs"] = heads("dn_", 500,
                                                         near(targets, meta["dn_num_split"][0]))
        out["dn_meta"] = meta
    return out, leaves


@contextlib.contextmanager
def adjusted(dtype):
    """Stable order of equal votes; in double precision what the criterion itself makes in float32
    (counts, .float()) is double too.
    """
    argsort, to_float = torch.argsort, torch.Tensor.float
    torch.argsort = lambda x, **kw: argsort(x, stable=True, **kw)
    if dtype == torch.float64:
        torch.Tensor.float = torch.Tensor.double
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.argsort, torch.Tensor.float = argsort, to_float
        torch.set_default_dtype(torch.float32)


def make_official_criterion():
    matcher = HungarianMatcher({"cost_class": 2, "cost_bbox": 5, "cost_giou": 2},
                               use_focal_loss=True, alpha=0.25, gamma=2.0)
    return DFINECriterion(matcher, WEIGHTS, ["vfl", "boxes", "local"], alpha=0.75, gamma=2.0,
                          num_classes=CLASSES, reg_max=REG_MAX)


def run(dtype, counts, queries=80, layers=3, dn=0, reg_scale=4.0, equal=False):
    targets = make_targets(counts, dtype)
    out, leaves = make_output(targets, queries, layers, dn, reg_scale, equal, dtype)
    criterion = make_official_criterion()
    found = {}
    union = criterion._get_go_indices
    criterion._get_go_indices = lambda *a: found.setdefault("go", union(*a))
    with adjusted(dtype):
        terms = criterion(out, targets)
    sum(terms.values()).backward()
    grads = {}
    for k, (name, leaf) in enumerate(sorted(leaves.items())):
        g = (leaf.grad.double() if leaf.grad is not None
             else torch.zeros(leaf.shape, dtype=torch.float64))
        grads[name] = [float(g.norm())] + [float((g * torch.tensor(signed(s, *g.shape))).sum())
                                           for s in (1000 + k, 2000 + k)]
    return {"losses": {k: v.item() for k, v in terms.items()}, "grads": grads,
            "go": [[q.tolist(), g.tolist()] for q, g in found["go"]]}


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    cases = {}
    for name, case in CASES.items():
        double, single = run(torch.float64, **case), run(torch.float32, **case)
        assert double["go"] == single["go"], f"{name}: rounding decides the matching"
        cases[name] = {"queries": 80, "layers": 3, "dn": 0, "reg_scale": 4.0, "equal": False,
                       **case, "go": double.pop("go"),
                       "float64": double,
                       "float32": {"losses": single["losses"], "grads": single["grads"]}}
    with open(os.path.join(HERE, "criterion.json"), "w") as f:
        json.dump(cases, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
