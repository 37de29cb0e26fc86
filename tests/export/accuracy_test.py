"""AP of exported files on the shipped validation pack, after a short training of N. In ONNX Runtime
and OpenVINO it is within 0.001 of dfine-eval's, in half precision within 0.002.
tools/check_onnx.py agrees.

    accuracy_test.py [WEIGHTS]    with WEIGHTS: takes this checkpoint folder, trains nothing
"""
import json
import os
import subprocess
import sys

from exporting import SOURCE, THREADS  # before the next block: it extends the path

from check_onnx import OnnxFile, average_precision, detections
from common import BCCD, BIN, Workspace, pack, run, subset

SIDE = 256


def train(ws):
    subset("train", 24, ws("train.json"))
    keys = {"run.dir": ws("run"), "run.device": "cpu", "run.threads": THREADS,
            "data.train": pack(ws("train.json"), ws("train")), "data.image_size": SIDE,
            "data.batch_size": 4, "data.workers": 0, "data.augment": "none", "optim.lr": 8e-4,
            "optim.warmup_steps": 0, "optim.weight_decay": 1e-4, "ema.enabled": "false",
            "train.epochs": 25, "validate.every_epochs": 0, "train.preflight": "false"}
    run("dfine_ddp", "--config", os.path.join(SOURCE, "configs", "n.toml"),
        *(x for k, v in keys.items() for x in ("--set", f"{k}={v}")), timeout=1100)
    return ws("run", "checkpoints", "last")


def main():
    with Workspace() as ws:
        weights = sys.argv[1] if len(sys.argv) > 1 else train(ws)
        coco = subset("val", 1000, ws("val.json"))
        images = [os.path.join(BCCD, "images", i["file_name"]) for i in coco["images"]]
        run("dfine-eval", "--weights", weights, "--data", pack(ws("val.json"), ws("val")),
            "--output", ws("metrics.json"))
        with open(ws("metrics.json")) as f:
            ap = json.load(f)["ap"]
        print(f"dfine-eval: AP {ap:.4f} on {len(images)} images", flush=True)
        assert ap > 0.1, "the training found nothing that a comparison could rely on"
        for layout, precision in (("hub", "fp32"), ("official", "fp32"), ("hub", "fp16")):
            path = ws(f"{layout}-{precision}.onnx")
            run("dfine-export", "--weights", weights, "--output", path, "--layout", layout,
                "--precision", precision)
            for runtime in ("onnxruntime", "openvino"):
                model = OnnxFile(path, runtime, THREADS)
                assert model.class_names == ["RBC", "WBC", "Platelets"]
                found = average_precision(ws("val.json"), detections(model, images),
                                          model.class_names)
                print(f"{layout} {precision}, {runtime}: AP {found:.4f}", flush=True)
                assert abs(found - ap) <= (0.001 if precision == "fp32" else 0.002), (found, ap)
            subprocess.run([sys.executable, os.path.join(SOURCE, "tools", "check_onnx.py"),
                            "--onnx", path, "--weights", weights,
                            "--images", os.path.join(BCCD, "images"),
                            "--annotations", ws("val.json"), "--programs", BIN,
                            "--threads", str(THREADS)], check=True)
    print("all passed")


if __name__ == "__main__":
    main()
