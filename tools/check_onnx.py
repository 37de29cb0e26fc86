#!/usr/bin/env python3
"""Compares an ONNX file that dfine-export wrote with the model it was made from, on your images.

    tools/check_onnx.py --onnx model.onnx --weights RUN_DIR/checkpoints/best --images photos/
        [--annotations val.json] [--runtime onnxruntime|openvino] [--programs build/release/bin]

dfine-predict runs on the images, and so does the file in the chosen runtime. Both get the same
pixels. Detections with a score above --threshold are matched one by one. With --annotations (a
COCO file, whose images are then used), AP is compared too. The exit code is 1 where a difference
is above its bound. Bounds in single precision: scores 2e-3, boxes 1e-4 of the image, AP 0.001. In
half precision: AP 0.002.

Needs the packages numpy and pillow, onnxruntime or openvino, and pycocotools for AP.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BOUNDS = {"fp32": {"score": 2e-3, "box": 1e-4, "ap": 1e-3}, "fp16": {"ap": 2e-3}}
# Detections further apart than this, in score or as a fraction of the image, do not match.
FAR = 0.05


class OnnxFile:
    """A file of either layout, in a runtime, on the CPU."""

    def __init__(self, path, runtime="onnxruntime", threads=0):
        start = {"onnxruntime": start_onnxruntime, "openvino": start_openvino}[runtime]
        self._run, self.inputs, self.outputs, metadata = start(path, threads)
        try:
            self.class_names = json.loads(metadata("class_names"))
            self.height, self.width = json.loads(metadata("image_size"))
            self.precision = metadata("dfine_precision")
        except (KeyError, RuntimeError):
            sys.exit(f"{path} was not written by dfine-export: it lacks that program's metadata")

    def run(self, images, sizes):
        """images: float [B, 3, H, W]; sizes: int64 [B, 2] width height. Outputs by name."""
        feed = {self.inputs[0]: images}
        if len(self.inputs) > 1:
            feed[self.inputs[1]] = sizes
        return dict(zip(self.outputs, self._run(feed), strict=True))

    def detect(self, images, sizes):
        """The best 300 query-class pairs of each image: labels, boxes x0 y0 x1 y1 in pixels of
        `sizes`, scores.
        """
        found = self.run(images, sizes)
        if "labels" in found:
            return found["labels"], found["boxes"], found["scores"]
        return postprocess(found["logits"], found["pred_boxes"], sizes)


def start_onnxruntime(path, threads):
    """A function from inputs by name to outputs, their names, and one from a key to metadata."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    outputs = [o.name for o in session.get_outputs()]
    return (lambda feed: session.run(outputs, feed), [i.name for i in session.get_inputs()],
            outputs, session.get_modelmeta().custom_metadata_map.__getitem__)


def start_openvino(path, threads):
    """As start_onnxruntime."""
    import openvino
    # Without the hint, OpenVINO computes in bfloat16 on processors that can.
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    if threads:
        settings["INFERENCE_NUM_THREADS"] = threads
    core = openvino.Core()
    model = core.read_model(path)
    compiled = core.compile_model(model, "CPU", settings)
    outputs = [o.any_name for o in model.outputs]

    def run(feed):
        found = compiled(feed)
        return [np.array(found[name]) for name in outputs]

    return (run, [i.any_name for i in model.inputs], outputs,
            lambda key: model.get_rt_info(["framework", key]).astype(str))


def postprocess(logits, boxes, sizes, count=300):
    """What the layout "official" does inside of the file."""
    batch, queries, classes = logits.shape
    count = min(count, queries * classes)
    scores = 1 / (1 + np.exp(-logits.reshape(batch, -1).astype(np.float64)))
    best = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    center, half = boxes[..., :2], boxes[..., 2:] / 2
    corners = np.concatenate([center - half, center + half], axis=2)
    chosen = np.take_along_axis(corners, (best // classes)[..., None], axis=1)
    return (best % classes, chosen * np.tile(sizes, 2)[:, None].astype(np.float32),
            np.take_along_axis(scores, best, axis=1).astype(np.float32))


def resized_image(path, height, width):
    """The picture in the network's size, and its original width and height."""
    with Image.open(path) as image:
        size = image.size
        return image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR), size


def load_image(path, height, width):
    """What the network reads, [3, H, W], and the original width and height."""
    resized, size = resized_image(path, height, width)
    pixels = np.ascontiguousarray(np.asarray(resized, np.float32).transpose(2, 0, 1))
    return pixels / 255, size


def detections(model, paths, batch_size=8):
    """{file name: [(label, box x0 y0 x1 y1, score), ...]}."""
    found = {}
    for begin in range(0, len(paths), batch_size):
        part = paths[begin:begin + batch_size]
        images, sizes = zip(*(load_image(p, model.height, model.width) for p in part), strict=True)
        batch = zip(part, *model.detect(np.stack(images), np.array(sizes, np.int64)), strict=True)
        for (path, labels, boxes, scores), size in zip(batch, sizes, strict=True):
            # dfine-predict cuts boxes to the image.
            cut = np.clip(boxes, 0, np.tile(size, 2))
            found[path] = list(zip(labels.tolist(), cut, scores.tolist(), strict=True))
    return found


def images_in(folder, annotations):
    """Paths in the order in which they are used."""
    if annotations:
        with open(annotations) as f:
            names = [i["file_name"] for i in json.load(f)["images"]]
        return [os.path.join(folder, n) for n in names]
    if os.path.isfile(folder):
        return [folder]
    known = tuple(Image.registered_extensions())
    return sorted(e.path for e in os.scandir(folder) if e.name.lower().endswith(known))


def predictions(program, weights, paths, model):
    """dfine-predict's detections, as detections() gives them.

    It gets the pictures in the network's size. Another JPEG decoder or resize may differ by a step
    of 255, which moves scores further than a difference between two programs does.
    """
    found = {path: [] for path in paths}
    with tempfile.TemporaryDirectory() as folder:
        # Gives pixels as stored, and the label + 1 as category.
        listing = {"images": [], "annotations": [],
                   "categories": [{"id": i, "name": n}
                                  for i, n in enumerate(model.class_names, 1)]}
        pictures, scales = [], []
        for i, path in enumerate(paths, 1):
            picture, (width, height) = resized_image(path, model.height, model.width)
            scales.append(np.array([width / model.width, height / model.height] * 2))
            pictures.append(os.path.join(folder, f"{i}.png"))
            picture.save(pictures[-1], compress_level=1)
            listing["images"].append({"id": i, "file_name": f"{i}.png", "width": model.width,
                                      "height": model.height})
        with open(os.path.join(folder, "images.json"), "w") as f:
            json.dump(listing, f)
        done = subprocess.run(
            [program, "--weights", weights, "--images", *pictures, "--threshold", "0",
             "--annotations", os.path.join(folder, "images.json"),
             "--image-size", f"{model.height}x{model.width}", "--device", "cpu",
             "--output", os.path.join(folder, "out")], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"dfine-predict does not take --weights {weights} with the classes of the "
                     f"ONNX file ({', '.join(model.class_names[:5])}, ...):\n{done.stderr}")
        with open(os.path.join(folder, "out", "predictions.json")) as f:
            records = json.load(f)
    for r in records:
        x, y, w, h = r["bbox"]
        image = r["image_id"] - 1
        found[paths[image]].append((r["category_id"] - 1,
                                    np.array([x, y, x + w, y + h]) * scales[image], r["score"]))
    return found


class Difference:
    """The largest ones seen."""

    def __init__(self):
        self.score = self.box = 0.0
        self.matched = self.unmatched = 0

    def add(self, ours, theirs, size, threshold):
        """Matches each detection of ours to the nearest one of theirs of the same class."""
        scale = np.array([*size, *size], np.float64)
        free = list(theirs)
        for label, box, score in sorted(ours, key=lambda d: -d[2]):
            if score < threshold:
                break
            apart = [(max(abs(score - s), float(np.abs((box - b) / scale).max())), i)
                     for i, (other, b, s) in enumerate(free) if other == label]
            nearest = min(apart, default=(FAR, 0))
            if nearest[0] >= FAR:
                self.unmatched += 1
                continue
            _, b, s = free.pop(nearest[1])
            self.matched += 1
            self.score = max(self.score, abs(score - s))
            self.box = max(self.box, float(np.abs((box - b) / scale).max()))


def average_precision(annotations, found, class_names):
    """AP (0.50:0.95) of detections() on a COCO file whose categories have the classes' names."""
    import contextlib
    import io

    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(annotations)
        by_name = {c["name"]: c["id"] for c in truth.dataset["categories"]}
        ids = {os.path.basename(i["file_name"]): i["id"] for i in truth.dataset["images"]}
        results = [{"image_id": ids[os.path.basename(path)],
                    "category_id": by_name[class_names[label]], "score": score,
                    "bbox": [float(v) for v in (box[0], box[1], box[2] - box[0], box[3] - box[1])]}
                   for path, all_found in found.items() for label, box, score in all_found]
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnx", required=True, metavar="FILE.onnx")
    parser.add_argument("--weights", required=True, metavar="PATH",
                        help="what the file was exported from")
    parser.add_argument("--images", required=True, metavar="PATH")
    parser.add_argument("--annotations", metavar="FILE.json")
    parser.add_argument("--runtime", choices=("onnxruntime", "openvino"), default="onnxruntime")
    parser.add_argument("--threshold", type=float, default=0.05)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threads", type=int, default=0, help="0: the runtime's choice")
    parser.add_argument("--programs", default=os.path.join(SOURCE, "build", "release", "bin"),
                        help="folder of dfine-predict")
    args = parser.parse_args()

    for option, path in (("--onnx", args.onnx), ("--images", args.images),
                         ("--annotations", args.annotations)):
        if path and not os.path.exists(path):
            sys.exit(f"{option}: there is no {path}")
    model = OnnxFile(args.onnx, args.runtime, args.threads)
    if model.precision not in BOUNDS:
        sys.exit(f"{args.onnx} has the precision {model.precision}: expected fp32 or fp16")
    if model.precision == "fp16" and not args.annotations:
        sys.exit(f"{args.onnx} is in half precision, which is judged by AP: give --annotations")
    paths = images_in(args.images, args.annotations)
    if not paths:
        sys.exit(f"there are no images in {args.images}")
    found = detections(model, paths, args.batch_size)
    wanted = predictions(os.path.join(args.programs, "dfine-predict"), args.weights, paths, model)
    difference = Difference()
    for path in paths:
        with Image.open(path) as image:
            difference.add(wanted[path], found[path], image.size, args.threshold)
    measured = {"score": difference.score, "box": difference.box}
    print(f"{len(paths)} images, {args.runtime}, {model.precision}: {difference.matched} detections"
          f" match, {difference.unmatched} do not; largest difference of scores "
          f"{difference.score:.1e}, of boxes {difference.box:.1e} of the image")
    if args.annotations:
        ours, theirs = (average_precision(args.annotations, d, model.class_names)
                        for d in (wanted, found))
        measured["ap"] = abs(ours - theirs)
        print(f"AP {ours:.4f} by dfine-predict, {theirs:.4f} by {args.runtime}")
    bounds = BOUNDS[model.precision]
    above = [f"{name} {measured[name]:.1e} (bound {bound:.0e})" for name, bound in bounds.items()
             if measured.get(name, 0) > bound]
    if model.precision == "fp32" and difference.unmatched:
        above.append(f"{difference.unmatched} detections without a match")
    if above:
        sys.exit("above the bounds: " + ", ".join(above))
    print("within the bounds")


if __name__ == "__main__":
    main()
