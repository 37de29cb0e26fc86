"""The official programs take what dfine-weights writes: a trained N of ours, in their layout.

    DFINE_OFFICIAL=path/to/D-FINE python official_tools.py [WEIGHTS]

With WEIGHTS it takes this checkpoint folder and trains nothing. Skipped without $DFINE_OFFICIAL.

- tools/deployment/export_onnx.py: its file finds what the file of dfine-export finds.
- tools/inference/torch_inf.py: draws boxes.
- train.py -r --test-only: AP is within 0.005 of dfine-eval's. Pillow and we resize differently.
- train.py -t: trains on, from the same AP.
"""
import json
import os
import shutil
import subprocess
import sys

if not os.environ.get("DFINE_OFFICIAL"):
    print("skipped: DFINE_OFFICIAL is not set (a checkout of Peterande/D-FINE)")
    sys.exit()
sys.path.insert(0, os.path.join(os.environ["DFINE_SOURCE_DIR"], "tests", "export"))
import numpy as np
import onnxruntime
import torch
from accuracy_test import train
from exporting import shipped_images
from PIL import Image

from common import BCCD, Workspace, pack, run, subset

SOURCE = os.environ["DFINE_SOURCE_DIR"]
ROOT = os.environ["DFINE_OFFICIAL"]
EXPORTED = 640  # pixels; written into export_onnx.py and torch_inf.py
CONFIG = """
__include__: ['{root}/configs/dfine/custom/dfine_hgnetv2_n_custom.yml']
num_classes: 3
remap_mscoco_category: False
eval_spatial_size: [{side}, {side}]
output_dir: {out}
epochs: 1
checkpoint_freq: 100
train_dataloader: &loader
  total_batch_size: 4
  num_workers: 0
  dataset: {{img_folder: '{images}', ann_file: '{annotations}'}}
  collate_fn: {{base_size: {side}, base_size_repeat: ~}}
val_dataloader:
  total_batch_size: 4
  num_workers: 0
  dataset:
    img_folder: '{images}'
    ann_file: '{annotations}'
    transforms:
      ops:
        - {{type: Resize, size: [{side}, {side}]}}
        - {{type: ConvertPILImage, dtype: float32, scale: True}}
"""


def official(script, *args, cwd):
    command = [sys.executable, os.path.join(SOURCE, "tests/golden/run_official.py"), script, *args]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, (script, done.stdout[-2000:], done.stderr[-4000:])
    return done.stdout


def shifted(coco, path):
    """The official loader takes category ids as labels, which start at 0."""
    for record in coco["categories"]:
        record["id"] -= 1
    for record in coco["annotations"]:
        record["category_id"] -= 1
    with open(path, "w") as f:
        json.dump(coco, f)


def found_by(path, image):
    """[300] labels and scores, [300, 4] boxes."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    picture = Image.open(image).convert("RGB")
    pixels = np.asarray(picture.resize((EXPORTED, EXPORTED), Image.BILINEAR), np.float32)
    found = session.run(["labels", "boxes", "scores"], {
        "images": pixels.transpose(2, 0, 1)[None] / 255,
        "orig_target_sizes": np.array([picture.size], np.int64)})
    return [values[0] for values in found]


def canvases(ws, side, count):
    """Images in the corner of a larger one: at 640 their cells are as large as in training."""
    paths = []
    for path in shipped_images(count):
        with Image.open(path) as picture:
            large = Image.new("RGB", [n * EXPORTED // side for n in picture.size], "white")
            large.paste(picture)
        paths.append(ws(f"{len(paths)}.png"))
        large.save(paths[-1])
    return paths


def is_red(path):
    with Image.open(path) as picture:
        # JPEG halves the resolution of colours: a line of one pixel is less red.
        return np.asarray(picture.convert("RGB")).astype(int) @ [1, -1, -1] > 0


def same_detections(theirs, ours):
    """Each sure detection of one has a twin in the other."""
    for (labels, boxes, scores), other in ((theirs, ours), (ours, theirs)):
        sure = scores > 0.1
        assert sure.sum() >= 3
        for label, box, score in zip(labels[sure], boxes[sure], scores[sure]):
            twins = (other[0] == label) & (np.abs(other[2] - score) < 1e-3)
            assert (np.abs(other[1][twins] - box).max(-1) < 0.1).any(), (label, box, score)


def precision(folder):
    """AP of what train.py --test-only left behind."""
    values = torch.load(os.path.join(folder, "eval.pth"), weights_only=False)["precision"]
    values = np.asarray(values)[:, :, :, 0, -1]
    return values[values > -1].mean()


def trained_at(weights):
    with open(os.path.join(weights, "preprocessor_config.json")) as f:
        return json.load(f)["size"]["height"]


def official_file(weights, folder, side):
    """dfine-weights convert; the anchors in the file are those of images of that side."""
    os.makedirs(folder)
    for name in ("config.json", "model.safetensors", "preprocessor_config.json"):
        shutil.copy(os.path.join(weights, name), folder)
    preprocessor = os.path.join(folder, "preprocessor_config.json")
    with open(preprocessor) as f:
        settings = json.load(f)
    settings["size"] = {"height": side, "width": side}
    with open(preprocessor, "w") as f:
        json.dump(settings, f)
    run("dfine-weights", "convert", folder, folder + ".pth", "--to", "official")
    return folder + ".pth"


def check(ws, weights):
    side = trained_at(weights)
    coco = subset("val", 60, ws("val.json"))
    run("dfine-eval", "--weights", weights, "--data", pack(ws("val.json"), ws("val")),
        "--output", ws("metrics.json"))
    with open(ws("metrics.json")) as f:
        ours = json.load(f)["ap"]
    shifted(coco, ws("official.json"))
    for name, size in (("export", EXPORTED), ("run", side)):
        with open(ws(name + ".yml"), "w") as f:
            f.write(CONFIG.format(root=ROOT, side=size, out=ws("out"), annotations=ws(
                "official.json"), images=os.path.join(BCCD, "images")))
    checkpoint, large = (official_file(weights, ws(f"at_{s}"), s) for s in (side, EXPORTED))

    official("tools/deployment/export_onnx.py", "-c", ws("export.yml"), "-r", large, cwd=ws())
    run("dfine-export", "--weights", weights, "--output", ws("ours.onnx"), "--layout", "official",
        "--image-size", EXPORTED)
    images = canvases(ws, side, 3)
    for image in images:
        same_detections(found_by(large.replace(".pth", ".onnx"), image),
                        found_by(ws("ours.onnx"), image))
    print("export_onnx.py: the same detections as the file of dfine-export", flush=True)

    official("tools/inference/torch_inf.py", "-c", ws("export.yml"), "-r", large, "-i", images[0],
             cwd=ws())
    assert is_red(ws("torch_results.jpg")).sum() > is_red(images[0]).sum() + 300, "no boxes"
    print("torch_inf.py: draws boxes", flush=True)

    official("train.py", "-c", ws("run.yml"), "-d", "cpu", "--test-only", "-r", checkpoint,
             cwd=ws())
    theirs = precision(ws("out"))
    print(f"train.py -r --test-only: AP {theirs:.4f}, dfine-eval {ours:.4f}", flush=True)
    assert abs(theirs - ours) < 0.005
    log = official("train.py", "-c", ws("run.yml"), "-d", "cpu", "--seed", "0", "-t",
                   checkpoint, cwd=ws())
    with open(ws("out", "log.txt")) as f:
        record = json.loads(f.readlines()[-1])
    print(f"train.py -t, an epoch: loss {record['train_loss']:.2f}, "
          f"AP {record['test_coco_eval_bbox'][0]:.4f}", flush=True)
    assert "Skip loading" not in log


def main():
    with Workspace() as ws:
        check(ws, sys.argv[1] if len(sys.argv) > 1 else train(ws))


if __name__ == "__main__":
    main()
