"""Training, resume, evaluation and prediction on the null device: they end well, on their own
device, in order.

    train_test.py [PART...]     without names all parts, with DFINE_LONG set the long ones too
"""

import json
from pathlib import Path

from cases import BCCD, expect_clean, run_parts, train
from run import amounts, run


def steps(ws, name):
    lines = map(json.loads, Path(ws(name, "metrics.jsonl")).read_text().splitlines())
    return [line for line in lines if line["type"] == "step"]


def evaluate_and_predict(ws, name, **variables):
    weights = ("--weights", ws(name, "checkpoints", "last"), "--device", "cuda")
    expect_clean(run("dfine-eval", *weights, "--data", ws("val"), "--threads", 1,
                     "--batch-size", 2, **variables))
    images = sorted(Path(BCCD, "images").iterdir())[:3]
    expect_clean(run("dfine-predict", *weights, "--images", *images,
                     "--output", ws(name + "-predicted"), **variables))
    assert Path(ws(name + "-predicted", "predictions.json")).exists()


def everything(ws):
    """Pre-flight, multi-scale, accumulation, EMA, stage 2, validation, checkpoints, resume."""
    keys = {
        "data__augment": "dfine",
        "data__multiscale": "true",
        "data__batch_size": 1,
        "train__gradient_accumulation_steps": 2,
        "train__preflight": "true",
        "train__stage2_epoch": 1,
        "train__stage2_from_best": "true",
        "ema__enabled": "true",
    }
    train(ws, "all", **keys, train__epochs=2)
    done = len(steps(ws, "all"))
    train(ws, "all", "--resume", "auto", **keys, train__epochs=3)
    assert len(steps(ws, "all")) == done * 3 // 2, (done, len(steps(ws, "all")))
    evaluate_and_predict(ws, "all")


def single_precision(ws):
    train(ws, "fp32", run__precision="fp32")
    evaluate_and_predict(ws, "fp32")


def overflow(ws):
    """fp16: the loss of one step is not finite. It is skipped, and training goes on."""
    done = train(ws, "fp16", run__precision="fp16", validate__every_epochs=0)
    sizes = amounts(done.reports[0], "copies to the host of bytes")
    # The step's report is all losses and the norm of the gradients in double precision.
    size = 8 * (len(steps(ws, "fp16")[0]["losses"]) + 1)
    assert sizes.get(str(size)) == len(steps(ws, "fp16")), (size, sizes)
    train(ws, "skips", run__precision="fp16", validate__every_epochs=0,
          variables={"NULLCUDA_NAN": f"{size}:2"})
    skipped = [step["step"] for step in steps(ws, "skips") if step.get("skipped")]
    assert skipped == [2], skipped


def several_ranks(ws, ranks=2):
    """Each rank uses its own device only; expect_clean looks at that."""
    name = f"ranks{ranks}"
    train(ws, name, ranks=ranks, devices=4, data__batch_size=1, train__preflight="true",
          ema__enabled="true")
    train(ws, name, "--resume", "auto", ranks=ranks, devices=4, data__batch_size=1,
          ema__enabled="true", train__epochs=2)


def four_ranks(ws):
    several_ranks(ws, 4)


def rank_without_boxes(ws):
    """Rank 1 has no box in any step. Its steps make the same copies as those of rank 0."""
    keys = {"data__train": ws("half_empty"), "data__batch_size": 1, "data__shuffle": "false",
            "data__augment": "none", "validate__every_epochs": 0}
    done = train(ws, "no-boxes", ranks=2, **keys)
    copies = [amounts(report, "copies")["pinned>device"] for report in done.reports]
    assert copies[0] == copies[1] > 0, copies


def late_copies(ws):
    """Copies are done when they are waited for. Page-locked memory that is filled again before is
    noticed.
    """
    late = {"NULLCUDA_LATE_COPIES": 1}
    for ranks in (1, 2):
        done = train(ws, f"late{ranks}", ranks=ranks, variables=late, train__epochs=2)
        copies = amounts(done.reports[0], "copies")["pinned>device"]
        assert amounts(done.reports[0], "late")["pieces of work"] > copies > 0
    # Caching is on here: host and device memory is used again. Validation would meet old values as
    # labels.
    train(ws, "late-caching", caching=True, variables=late, validate__every_epochs=0,
          train__epochs=3)
    evaluate_and_predict(ws, "late1", **late)


def allocations(ws, few=8, many=40):
    """The caching allocator asks for no more memory after the first steps."""
    counts = []
    for number in (few, many):
        keys = {"train__epochs": many, "train__max_steps": number, "validate__every_epochs": 0}
        report = train(ws, f"steps{number}", caching=True, **keys).reports[0]
        counts.append({name: report["calls"].get(name, 0)
                       for name in ("cuda.cuMemCreate", "cudart.cudaMalloc",
                                    "cudart.cudaHostAlloc")})
    assert counts[0] == counts[1] and counts[0]["cuda.cuMemCreate"] > 0, counts


def allocations_of_200_steps(ws):
    allocations(ws, 20, 200)


QUICK = [everything, single_precision, overflow, several_ranks, rank_without_boxes, late_copies,
         allocations]
LONG = [four_ranks, allocations_of_200_steps]


if __name__ == "__main__":
    run_parts(QUICK, LONG)
