"""dfine-eval of a model: on one rank and on two, with details and saved predictions, beside
pycocotools. The thresholds that training stores are those of --details, and dfine-predict keeps
what they keep.
"""
import contextlib
import io
import json
import os

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from common import BCCD, SOURCE, Workspace, pack, run, subset


def read(path):
    with open(path) as f:
        return json.load(f)


def train(ws):
    keys = {"run.dir": ws("run"), "run.device": "cpu", "run.threads": 2, "data.train": ws("pack"),
            "data.val": ws("pack"), "data.image_size": 256, "data.batch_size": 2,
            "data.workers": 0, "data.augment": "none", "optim.lr": 8e-4, "optim.warmup_steps": 0,
            "train.max_steps": 40, "train.epochs": 20, "validate.every_epochs": 20,
            "train.preflight": "false", "model.num_queries": 100, "run.tensorboard": "false"}
    run("dfine_ddp", "--config", os.path.join(SOURCE, "configs", "n.toml"),
        *(x for k, v in keys.items() for x in ("--set", f"{k}={v}")))
    with open(ws("run", "report.html")) as f:  # by itself, with the detections of the validation
        assert "BloodImage_" in f.read()
    return ws("run", "checkpoints", "best")


def evaluate(ws, weights, name, *more, ranks=0):
    run("dfine-eval", "--weights", weights, "--data", ws("pack"), "--output", ws(name + ".json"),
        "--details", "--save-predictions", ws(name + "-found.json"), *more, ranks=ranks)
    return read(ws(name + ".json"))


def ranks_agree(ws, weights):
    one, two = evaluate(ws, weights, "one"), evaluate(ws, weights, "two", ranks=2)
    assert one["ap50"] > 0, "nothing was learned that a comparison could rely on"
    assert abs(one.pop("val_loss") - two.pop("val_loss")) < 1e-5
    for metric in ("ap", "ap50", "ar100"):
        assert abs(one[metric] - two[metric]) < 1e-6, (metric, one[metric], two[metric])
    return one


def files_agree(ws, one):
    """The saved predictions, as files, have the model's metrics to the last bit; pycocotools
    agrees.
    """
    run("dfine-eval", "--annotations", ws("images.json"), "--predictions", ws("one-found.json"),
        "--output", ws("files.json"), "--details")
    files = read(ws("files.json"))
    assert {k: v for k, v in one.items() if k in files} == {
        k: v for k, v in files.items() if k in one}, (one, files)
    assert files["details"] == one["details"]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(ws("images.json"))
        evaluation = COCOeval(truth, truth.loadRes(ws("one-found.json")), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert [one[k] for k in ("ap", "ap50", "ap75")] == evaluation.stats[:3].tolist()


def thresholds_are_used(ws, weights, one):
    stored = next(v for v in read(os.path.join(weights, "metrics.json"))["validations"]
                  if v["weights"] == read(os.path.join(weights, "metrics.json"))["weights"])
    stored = stored["thresholds"]
    assert stored["overall"]["threshold"] == one["details"]["overall"]["best"]["threshold"]
    by_name = {c["name"]: c["threshold"] for c in stored["classes"]}
    images = [os.path.join(BCCD, "images", i["file_name"])
              for i in read(ws("images.json"))["images"]]
    predict = ["--weights", weights, "--images", *images, "--annotations", ws("images.json")]
    run("dfine-predict", *predict, "--output", ws("all"), "--threshold", 0)
    run("dfine-predict", *predict, "--output", ws("best"))
    key = lambda r: (r["image_id"], r["category_name"], r["score"], r["bbox"])
    expected = [key(r) for r in read(ws("all", "predictions.json"))
                if r["score"] >= (by_name[r["category_name"]]
                                  or stored["overall"]["threshold"])]
    assert expected == [key(r) for r in read(ws("best", "predictions.json"))]
    assert 0 < len(expected) < len(read(ws("all", "predictions.json")))


def main():
    with Workspace() as ws:
        subset("train", 4, ws("images.json"))
        pack(ws("images.json"), ws("pack"))
        weights = train(ws)
        one = ranks_agree(ws, weights)
        files_agree(ws, one)
        thresholds_are_used(ws, weights, one)
    print("all passed")


if __name__ == "__main__":
    main()
