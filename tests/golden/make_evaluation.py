"""Makes evaluation.json: logits and boxes of the official D-FINE in evaluation.

All five sizes are as published (300 queries, frozen norms where the size has them), at 640x640 and
320x320, batch 2, float32.

    DFINE_OFFICIAL=checkout-of-Peterande/D-FINE python make_evaluation.py [sizes]

Weights and images as in make_parity.py; frozen norms and `num_points_scale` have the formula's
values too. Running statistics are those of make_parity.measure(). tests/model/official_test.cpp is
the twin.

Queries stand in the order of their tokens' scores. Compared are some whose score has a distance of
MARGIN to the next ones, so that rounding cannot move them. Their images have a last selected token
that is as far from the first rejected one. The means over all queries, which depend on no order,
are compared too. `rounding`: the largest difference of logits and boxes from the official code in
float64.
"""
import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import numpy as np  # noqa: E402
import official  # noqa: E402
import torch  # noqa: E402
from make_parity import CLASSES, formula, make_images, measure  # noqa: E402
from make_parity import MEASURED_BATCH as BATCH  # noqa: E402

QUERIES, SAMPLES, MARGIN = 300, 12, 5e-4
RESOLUTIONS = (640, 320)


def make_parts(size, res, dtype, statistics, queries=QUERIES):
    """(model in evaluation mode, criterion)"""
    config = official.configuration(size, CLASSES, queries, 100, res, norms_as_published=True)
    model = config.model.to(dtype).eval()
    for name, t in official.tensors(model).items():
        t.copy_(statistics[name] if "running_" in name
                else torch.tensor(formula(name, tuple(t.shape))))
    return model, config.criterion


@torch.no_grad()
def run(size, res, dtype, statistics, seed):
    """(logits, boxes, scores of the tokens from the highest on)"""
    with official.exact_order_and_precision(dtype):
        (model, _), scores = make_parts(size, res, dtype, statistics), []
        model.decoder.enc_score_head.register_forward_hook(
            lambda m, i, out: scores.append(out.max(-1).values.sort(-1, descending=True).values))
        out = model(make_images(BATCH, res, dtype, seed))
    return out["pred_logits"], out["pred_boxes"], scores[0]


def rounded(t, digits):
    return np.round(t.double().numpy(), digits).tolist()


def case(size, res, statistics, seed):
    logits, boxes, scores = run(size, res, torch.float32, statistics, seed)
    gaps = scores[:, :-1] - scores[:, 1:]
    if (gaps[:, QUERIES - 1] < MARGIN).any():
        return None
    places = []
    for gap in gaps[:, :QUERIES]:
        alone = [i for i in range(QUERIES) if gap[i] > MARGIN and (i == 0 or gap[i - 1] > MARGIN)]
        if len(alone) < SAMPLES:
            return None
        places.append([alone[i] for i in np.linspace(0, len(alone) - 1,
                                                     SAMPLES).round().astype(int)])
    numbers = {"seed": seed, "places": places}
    for name, t, digits in (("logits", logits, 6), ("boxes", boxes, 7)):
        numbers[name] = [rounded(image[p], digits) for image, p in zip(t, places)]
        numbers["mean_" + name] = rounded(t.double().mean(1), digits + 1)
    return numbers


def difference(numbers, logits, boxes):
    def largest(k, images):
        triples = zip(images, numbers["places"], numbers[k])
        return max(float((image[p].double() - torch.tensor(want).double()).abs().max())
                   for image, p, want in triples)

    return [float(f"{largest(k, images):.2g}")
            for k, images in (("logits", logits), ("boxes", boxes))]


def main():
    torch.set_num_threads(1)
    path = os.path.join(HERE, "evaluation.json")
    result = (json.load(open(path)) if os.path.exists(path)
              else {"queries": QUERIES, "batch": BATCH, "sizes": {}})
    for size in sys.argv[1] if len(sys.argv) > 1 else "nsmlx":
        statistics = measure(size)
        entry = {}
        for res in RESOLUTIONS:
            numbers = next(f for f in (case(size, res, statistics, seed)
                                       for seed in range(0, 1000, 10)) if f)
            numbers["rounding"] = difference(numbers, *run(size, res, torch.float64,
                                                           statistics, numbers["seed"])[:2])
            entry[str(res)] = numbers
            print(size, res,
                  {k: numbers[k] for k in ("seed", "rounding", "mean_logits", "mean_boxes")},
                  np.ptp(numbers["logits"]), np.std(numbers["boxes"], (0, 1)), flush=True)
        result["sizes"][size] = entry
        with open(path, "w") as f:
            json.dump(result, f, separators=(",", ":"))
            f.write("\n")


if __name__ == "__main__":
    main()
