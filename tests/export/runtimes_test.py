"""Files of dfine-export in ONNX Runtime and OpenVINO against our own evaluation, query by query.
Boxes are within 1e-5 of the image, logits within 2e-4.

    runtimes_test.py quick    N and S at 320x320, N at 256x384, both layouts, and bad input
    runtimes_test.py all      all five sizes at 320x320, 640x640 and 480x640

Images are real ones, in batches of 1, 2, 3 and 8 from one file. fp16 must run here. Its
differences are printed, and accuracy_test.py decides about it.
"""
import os
import subprocess
import sys

import numpy as np
import torch
from exporting import THREADS, shipped_images  # before the next block: it extends the path
from safetensors.torch import load_file, save_file

from check_onnx import Difference, OnnxFile, load_image, postprocess
from common import Workspace, run, says
from reference import TOOL, align, make_model

LOGITS, BOXES = 2e-4, 1e-5
BATCHES = (1, 2, 3, 8)
failures = []


def verdict(good, text):
    print("ok  " if good else "FAIL", text, flush=True)
    if not good:
        failures.append(text)


def evaluated(ws, size, images):
    """Our own logits and boxes of the images, as dfine-eval computes them."""
    save_file({"images": torch.from_numpy(images)}, ws("in.safetensors"))
    subprocess.run([TOOL, "forward", "--size", size, "--weights", ws(size, "model.safetensors"),
                    "--batch", ws("in.safetensors"), "--out", ws("out.safetensors"),
                    "--threads", str(THREADS)], check=True)
    out = load_file(ws("out.safetensors"))
    return out["last.logits"], out["last.boxes"]


def export(ws, size, shape, layout, precision):
    path = ws(f"{size}-{layout}-{precision}.onnx")
    run("dfine-export", "--weights", ws(size), "--output", path, "--layout", layout,
        "--image-size", f"{shape[0]}x{shape[1]}", "--precision", precision)
    return path


def differences(found, want, batch):
    """Largest ones of logits and boxes after sorting queries, and how many stood elsewhere."""
    logits = boxes = moved = 0
    for i in range(batch):
        ours, theirs, n = align(*(torch.cat([t[0][i], t[1][i]], 1) for t in (found, want)))
        apart = (ours - theirs).abs()
        logits, boxes = max(logits, float(apart[:, :-4].max())), max(boxes,
                                                                     float(apart[:, -4:].max()))
        moved += n
    return logits, boxes, moved


def check_hub(path, runtime, images, want, title, precise=True):
    model = OnnxFile(path, runtime, THREADS)
    assert model.inputs == ["pixel_values"] and model.outputs == ["logits", "pred_boxes"]
    for batch in BATCHES if precise else (8,):
        out = model.run(images[:batch], None)
        found = [torch.from_numpy(out[n].astype(np.float32)) for n in model.outputs]
        logits, boxes, moved = differences(found, want, batch)
        verdict(not precise or (logits <= LOGITS and boxes <= BOXES),
                f"{title} {runtime}, batch {batch}: logits {logits:.1e}, boxes {boxes:.1e}, "
                f"{moved} queries at another place")


def check_official(path, runtime, images, sizes, want, title):
    model = OnnxFile(path, runtime, THREADS)
    assert model.inputs == ["images", "orig_target_sizes"], model.inputs
    assert model.outputs == ["labels", "boxes", "scores"], model.outputs
    wanted = postprocess(want[0].numpy(), want[1].numpy(), sizes)
    for batch in BATCHES:
        found = model.detect(images[:batch], sizes[:batch])
        assert found[0].dtype == np.int64 and found[1].dtype == found[2].dtype == np.float32
        assert (np.diff(found[2]) <= 0).all(), "scores do not fall"
        difference = Difference()
        for i in range(batch):
            ours, theirs = ([(label, box, float(score)) for label, box, score
                             in zip(d[0][i], d[1][i], d[2][i])] for d in (wanted, found))
            difference.add(ours, theirs, sizes[i], 0)
        ranks = float(np.abs(found[2] - wanted[2][:batch]).max())
        # The last of the best 300 may be another pair of nearly the same score.
        verdict(difference.score <= LOGITS / 4 and difference.box <= BOXES and ranks <= LOGITS / 4
                and difference.unmatched <= batch,
                f"{title} official, {runtime}, batch {batch}: scores {difference.score:.1e}, boxes "
                f"{difference.box:.1e}, {difference.unmatched} of {300 * batch} do not match")


def check(ws, size, shapes, officials):
    make_model(size).save_pretrained(ws(size))
    for shape in shapes:
        title = f"{size} {shape[0]}x{shape[1]}"
        loaded = [load_image(p, *shape) for p in shipped_images(8)]
        images, sizes = np.stack([i for i, _ in loaded]), np.array([s for _, s in loaded], np.int64)
        want = evaluated(ws, size, images)
        path = export(ws, size, shape, "hub", "fp32")
        for runtime in ("onnxruntime", "openvino"):
            check_hub(path, runtime, images, want, title)
        if not officials:
            continue
        path = export(ws, size, shape, "official", "fp32")
        for runtime in ("onnxruntime", "openvino"):
            check_official(path, runtime, images, sizes, want, title)
        check_hub(export(ws, size, shape, "hub", "fp16"), "onnxruntime", images, want,
                  title + " fp16", precise=False)
        single, half = (os.path.getsize(ws(f"{size}-hub-{p}.onnx")) for p in ("fp32", "fp16"))
        verdict(half < 0.6 * single, f"{title} fp16: {half / single:.2f} of the bytes of fp32")


def bad_input(ws):
    weights = ("--weights", ws("n"))
    before = sorted(os.listdir(ws()))

    def fails(*arguments, values, code=1):
        out = run("dfine-export", *weights, *arguments, expect=code)
        says(out, "dfine-export: ", *values)
        assert sorted(os.listdir(ws())) == before, (arguments, os.listdir(ws()))

    fails("--output", ws("n", "config.json", "a.onnx"), values=["[file_exists]"])
    fails("--output", ws("n"), values=["[file_exists]", ws("n")])
    fails("--output", "/proc/a.onnx", values=["/proc/", "[write_failed]", "hint: "])
    fails("--output", ws("a.onnx"), "--image-size", 100, values=["100", "32"], code=2)
    fails("--output", ws("new", "a.onnx"), "--image-size", 64,
          values=["64x64", "[conflicting_settings]", "hint: "], code=2)
    fails("--output", ws("a.onnx"), "--layout", "x", values=["--layout", "hub"], code=2)
    fails("--output", ws("a.onnx"), "--precision", "int8", values=["--precision", "fp16"], code=2)
    # A file that cannot be completed leaves the older one alone.
    path = ws("n-hub-fp32.onnx")
    with open(path, "rb") as f:
        content = f.read()
    done = subprocess.run(["bash", "-c", "ulimit -f 1000; trap '' XFSZ; exec \"$@\"", "-",
                           os.path.join(os.environ["DFINE_BINARY_DIR"], "dfine-export"), *weights,
                           "--output", path, "--image-size", "320"], capture_output=True, text=True)
    assert done.returncode == 1 and path in done.stderr, done
    with open(path, "rb") as f:
        assert f.read() == content
    assert sorted(os.listdir(ws())) == before
    # The same model gives the same bytes.
    run("dfine-export", *weights, "--output", ws("again.onnx"), "--image-size", "256x384")
    with open(ws("again.onnx"), "rb") as f:
        assert f.read() == content
    print("ok   bad input", flush=True)


def main():
    if sys.argv[1] == "quick":
        with Workspace() as ws:
            check(ws, "n", [(320, 320)], officials=True)
            check(ws, "s", [(320, 320)], officials=False)
            check(ws, "n", [(256, 384)], officials=False)
            bad_input(ws)
    else:
        for size in "nsmlx":
            with Workspace() as ws:
                check(ws, size, [(320, 320), (480, 640)], officials=True)
                check(ws, size, [(640, 640)], officials=False)
    if failures:
        sys.exit(f"{len(failures)} differences are above their bounds")


if __name__ == "__main__":
    main()
