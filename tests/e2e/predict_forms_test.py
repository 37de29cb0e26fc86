"""dfine-predict's sources, forms of results and choices: each is recomputed here from another one.

CSV is read by Python's csv, suppression is torchvision's, ids are those of the pack. A run that is
stopped leaves what it has done.
"""
import csv
import json
import os
import shutil
import signal
import subprocess
import time

import numpy as np
import torch
from PIL import Image
from predict_test import content, drawn, trained_weights
from torchvision.ops import batched_nms

from common import BCCD, BIN, Workspace, pack, run, says, subset

CLASSES = ["RBC", "WBC", "Platelets"]


def photos(ws):
    """Names that CSV quotes, and two that differ in their extension alone."""
    folder = ws("photos")
    os.makedirs(os.path.join(folder, "sub"))
    names = sorted(os.listdir(os.path.join(BCCD, "images")))
    for name, source in zip(("a.jpg", "b, \"c\".jpg", "sub/d.jpg", "sub/e.jpg"), names):
        shutil.copy(os.path.join(BCCD, "images", source), os.path.join(folder, name))
    with Image.open(os.path.join(BCCD, "images", names[4])) as image:
        image.crop((10, 20, 300, 220)).save(os.path.join(folder, "a.png"))
    return folder


def predict(ws, weights, output, *options, images=None, expect=0):
    return run("dfine-predict", "--weights", weights, "--image-size", 128, "--images",
               *(images or [ws("photos")]), "--output", ws(output), *options, expect=expect)


def coco(folder):
    with open(os.path.join(folder, "predictions.json")) as f:
        return json.load(f)


def lines(folder):
    with open(os.path.join(folder, "predictions.jsonl")) as f:
        return [json.loads(line) for line in f]


def flat(records):
    """JSON lines as COCO has them."""
    return [{"image_id": r["image_id"], "file_name": r["file_name"], **d}
            for r in records for d in r["detections"]]


def by_image(results):
    found = {}
    for r in results:
        found.setdefault(r["file_name"], []).append(r)
    return found


def sizes(ws):
    folder = ws("photos")
    paths = [os.path.join(d, n) for d, _, names in os.walk(folder) for n in names]
    return {os.path.relpath(p, folder): Image.open(p).size for p in paths}


def every_form_holds_the_same(ws, weights):
    out = predict(ws, weights, "forms", "--threshold", 0, "--top-k", 20, "--no-pictures",
                  "--format", "coco", "csv", "yolo", "jsonl", "text")
    results, size = coco(ws("forms")), sizes(ws)
    assert len(results) == 20 * 5 and set(by_image(results)) == set(size), len(results)
    assert flat(lines(ws("forms"))) == results
    assert {r["file_name"]: (r["width"], r["height"]) for r in lines(ws("forms"))} == size
    assert {r["category_name"] for r in results} <= set(CLASSES)

    raw = content(ws("forms", "predictions.csv"))
    assert raw.count(b"\r\n") == raw.count(b"\n") == 101
    with open(ws("forms", "predictions.csv"), newline="") as f:
        rows = list(csv.DictReader(f))
    assert list(rows[0]) == ["file", "class", "score", "x1", "y1", "x2", "y2"]
    for row, r in zip(rows, results, strict=True):
        assert (row["file"], row["class"]) == (r["file_name"], r["category_name"]), (row, r)
        x1, y1, x2, y2, score = (np.float32(row[k]) for k in ("x1", "y1", "x2", "y2", "score"))
        assert [x1, y1, x2 - x1, y2 - y1] == [np.float32(v) for v in r["bbox"]], (row, r)
        assert score == np.float32(r["score"])

    labels = {"a.jpg": "a.txt", "a.png": "a.png.txt", 'b, "c".jpg': 'b, "c".txt',
              "sub/d.jpg": "sub/d.txt", "sub/e.jpg": "sub/e.txt"}
    for name, label in labels.items():
        yolo = np.loadtxt(ws("forms", "labels", label), ndmin=2)
        w, h = size[name]
        expected = [[CLASSES.index(r["category_name"]), (r["bbox"][0] + r["bbox"][2] / 2) / w,
                     (r["bbox"][1] + r["bbox"][3] / 2) / h, r["bbox"][2] / w, r["bbox"][3] / h,
                     r["score"]] for r in by_image(results)[name]]
        assert np.allclose(yolo, expected, rtol=0, atol=1e-6), name
    assert drawn(ws("forms")) == {} and sorted(os.listdir(ws("forms"))) == [
        "labels", "predictions.csv", "predictions.json", "predictions.jsonl"]
    told = [line.split("  ") for line in out.splitlines() if line.count("  ") == 3]
    assert [(t[0], t[1]) for t in told] == [(r["file_name"], r["category_name"]) for r in results]

    # Nothing found: a header, empty lists, empty files.
    predict(ws, weights, "nothing", "--threshold", 1, "--format", "csv,yolo,jsonl")
    assert content(ws("nothing", "predictions.csv")) == b"file,class,score,x1,y1,x2,y2\r\n"
    assert [r["detections"] for r in lines(ws("nothing"))] == [[]] * 5
    assert all(content(ws("nothing", "labels", label)) == b"" for label in labels.values())
    assert drawn(ws("nothing")) == size and not os.path.exists(ws("nothing", "predictions.json"))
    # By default: COCO, JSON lines and pictures.
    predict(ws, weights, "usual", "--threshold", 0)
    assert flat(lines(ws("usual"))) == coco(ws("usual")) and drawn(ws("usual")) == size
    says(run("dfine-predict", "--weights", ws("nowhere"), "--images", ws("photos"),
             "--format", "yolo", expect=2), "--format yolo", "--output")


def logit(p):
    return np.log(p / (1 - p))


def a_batch_changes_rounding_alone(ws, weights):
    """docs/fidelity.md, of a model prepared for inference: logits within 2e-4, boxes within 1e-5 of
    the image.
    """
    for batch in (1, 4):
        predict(ws, weights, f"batch{batch}", "--threshold", 0, "--batch", batch, "--no-pictures")
    one, four = (by_image(coco(ws(f"batch{b}"))) for b in (1, 4))
    size = sizes(ws)
    assert list(one) == list(four) and len(one) == 5
    assert [r["file_name"] for r in lines(ws("batch4"))] == list(one)
    for name in one:
        scale = np.tile(size[name], 2)
        remaining = list(four[name])
        assert len(remaining) == len(one[name]) == 150
        for r in one[name]:
            near = [o for o in remaining if o["category_id"] == r["category_id"]
                    and np.all(np.abs(np.subtract(o["bbox"], r["bbox"])) <= 2e-5 * scale)
                    and abs(logit(o["score"]) - logit(r["score"])) <= 2e-4]
            assert near, (name, r)
            remaining.remove(near[0])


def patterns_and_lists(ws, weights):
    quick = ["--threshold", 0, "--top-k", 1, "--no-pictures", "--format", "jsonl"]

    def names(*images):
        predict(ws, weights, "sources", *quick, images=images)
        return [r["file_name"] for r in lines(ws("sources"))]

    at = lambda *parts: ws("photos", *parts)
    assert names(at("*.jpg")) == ["a.jpg", 'b, "c".jpg']
    assert names(at("**", "*.jpg")) == ["a.jpg", 'b, "c".jpg', "sub/d.jpg", "sub/e.jpg"]
    assert names(at("*", "[d-z].jp?")) == ["sub/d.jpg", "sub/e.jpg"]
    assert names(at("a.*"), at("s*")) == ["a.jpg", "a.png", "sub/d.jpg", "sub/e.jpg"]
    os.makedirs(ws("lists"))
    with open(ws("lists", "some.txt"), "w") as f:
        f.write("# photos of today\n../photos/sub/e.jpg\r\n\n  inside/x.jpg\n../photos/a.png\n")
    os.makedirs(ws("lists", "inside"))
    shutil.copy(at("a.jpg"), ws("lists", "inside", "x.jpg"))
    assert names(ws("lists", "some.txt")) == ["e.jpg", "inside/x.jpg", "a.png"]
    # A damaged image of a list or a pattern is reported, the rest goes on.
    with open(ws("lists", "inside", "y.jpg"), "wb") as f:
        f.write(content(at("a.jpg"))[:2000])
    with open(ws("lists", "some.txt"), "a") as f:
        f.write("inside/y.jpg\n../photos/sub/d.jpg")
    for images, good in ((ws("lists", "some.txt"), ["e.jpg", "inside/x.jpg", "a.png", "d.jpg"]),
                         (ws("lists", "**", "*.jpg"), ["inside/x.jpg"])):
        says(predict(ws, weights, "sources", *quick, images=[images], expect=1),
             ws("lists", "inside", "y.jpg"), "[image_damaged]", f"1 of {len(good) + 1} images")
        assert [r["file_name"] for r in lines(ws("sources"))] == good

    nowhere = ["--weights", ws("nowhere"), "--images"]
    with open(ws("lists", "wrong.txt"), "w") as f:
        f.write("some.jpg # no comment\n../photos/a.png\n")
    says(run("dfine-predict", *nowhere, ws("lists", "wrong.txt"), expect=1),
         "wrong.txt, line 1", "[file_missing]")
    with open(ws("lists", "none.txt"), "w") as f:
        f.write("# nothing\n")
    says(run("dfine-predict", *nowhere, ws("lists", "none.txt"), expect=1), "none.txt",
         "[dataset_too_small]")
    says(run("dfine-predict", *nowhere, ws("photos", "*.webp"), expect=1), "*.webp",
         "[file_missing]")
    says(run("dfine-predict", *nowhere, ws("lists", "*.txt"), expect=1), "*.txt",
         "[dataset_too_small]")


def packs(ws, weights):
    """Ids are those of the annotation file, from which the pack was made."""
    data = subset("val", 6, ws("val.json"))
    for k, image in enumerate(data["images"]):
        image["id"] += 1000 * (k + 1)
    ids = {old: new["id"] for old, new in zip(
        [i["id"] - 1000 * (k + 1) for k, i in enumerate(data["images"])], data["images"])}
    for a in data["annotations"]:
        a["image_id"] = ids[a["image_id"]]
    for c in data["categories"]:
        c["id"] += 70
        for a in data["annotations"]:
            a["category_id"] += 70 if a["category_id"] == c["id"] - 70 else 0
    with open(ws("val.json"), "w") as f:
        json.dump(data, f)
    pack(ws("val.json"), ws("val"))
    predict(ws, weights, "of-pack", "--threshold", 0, "--top-k", 9, images=[ws("val")])
    of_pack = lines(ws("of-pack"))
    assert ({r["file_name"]: r["image_id"] for r in of_pack}
            == {i["file_name"]: i["id"] for i in data["images"]})
    categories = {c["name"]: c["id"] for c in data["categories"]}
    assert all(d["category_id"] == categories[d["category_name"]]
               for r in of_pack for d in r["detections"])
    assert set(drawn(ws("of-pack"))) == {i["file_name"] for i in data["images"]}
    predict(ws, weights, "of-files", "--threshold", 0, "--top-k", 9, "--annotations",
            ws("val.json"), images=[os.path.join(BCCD, "images")])
    key = lambda r: r["file_name"]
    assert sorted(of_pack, key=key) == sorted(lines(ws("of-files")), key=key)
    for wrong in (["--images", ws("val"), ws("photos")],
                  ["--images", ws("val"), "--annotations", ws("val.json")]):
        says(run("dfine-predict", "--weights", ws("nowhere"), *wrong, expect=2), ws("val"),
             "[usage]")
    # A damaged record is reported, the others are predicted.
    shard = ws("val", "shard-00000.h5")
    data = bytearray(content(shard))
    place = data.index(b"\xff\xd8\xff") + 5000
    data[place] ^= 255
    with open(shard, "wb") as f:
        f.write(data)
    says(predict(ws, weights, "of-pack", "--threshold", 0, images=[ws("val")], expect=1),
         "1 of 6 images", "shard-00000.h5", "[file_damaged]")
    assert len(lines(ws("of-pack"))) == 5


def choices(ws, weights):
    predict(ws, weights, "all", "--threshold", 0, "--no-pictures")
    every = by_image(coco(ws("all")))

    def chosen(*options):
        predict(ws, weights, "chosen", "--threshold", 0, "--no-pictures", *options)
        return by_image(coco(ws("chosen")))

    def same(found, expected):
        """Scores but for rounding: the sigmoid of fewer logits takes other vector instructions."""
        key = lambda r: (r["category_id"], r["bbox"])
        assert list(found) == list(expected)
        for name, records in expected.items():
            one, other = sorted(found[name], key=key), sorted(records, key=key)
            assert list(map(key, one)) == list(map(key, other)), name
            assert np.allclose([r["score"] for r in one], [r["score"] for r in other], rtol=1e-6)

    platelets = {name: [r for r in found if r["category_name"] == "Platelets"]
                 for name, found in every.items()}
    same(chosen("--classes", "platelets"), platelets)
    same(chosen("--classes", 2), platelets)
    same(chosen("--classes", "WBC", "Platelets", "--top-k", 7),
         {name: [r for r in found if r["category_name"] != "RBC"][:7]
          for name, found in every.items()})
    start = ["--weights", weights, "--images", ws("photos")]
    says(run("dfine-predict", *start, "--classes", "Platelet", expect=2), "Platelets", "[usage]")
    says(run("dfine-predict", *start, "--classes", 3, expect=2), "RBC, WBC and Platelets")
    for option, value in (("--top-k", 0), ("--nms", 1.5), ("--batch", 0), ("--tile", 8),
                          ("--overlap", 1)):
        says(run("dfine-predict", *start, option, value, expect=2), option)


def tiles(ws, weights):
    """A box of a large image is one that the network finds in the whole or, moved, in a crop."""
    with Image.open(ws("photos", "a.jpg")) as image:
        large = image.resize((460, 300))
    os.makedirs(ws("crops"))
    large.save(ws("large.png"))
    windows = {"whole.png": (0, 0, 460, 300)}
    for left in (0, 160, 260):  # 200 pixels, of which neighbours share 40 or more
        for top in (0, 100):
            windows[f"{left}-{top}.png"] = (left, top, left + 200, top + 200)
    for name, window in windows.items():
        large.crop(window).save(ws("crops", name))
    one = ["--threshold", 0, "--no-pictures"]
    predict(ws, weights, "of-crops", *one, images=[ws("crops")])
    for batch in (1, 5):
        predict(ws, weights, f"of-tiles{batch}", *one, "--tile", 200, "--batch", batch,
                images=[ws("large.png"), ws("crops", "0-0.png")])
    found, other = (by_image(coco(ws(f"of-tiles{batch}"))) for batch in (1, 5))
    crops = by_image(coco(ws("of-crops")))
    # An image that is no larger than a tile is one window.
    assert ([(r["bbox"], r["score"]) for r in found["0-0.png"]]
            == [(r["bbox"], r["score"]) for r in crops["0-0.png"]])
    boxes = np.array([r["bbox"] for r in found["large.png"]])
    assert np.all(boxes >= 0) and np.all(boxes[:, :2] + boxes[:, 2:] <= np.array([460, 300]) + 1e-3)
    scores = [r["score"] for r in found["large.png"]]
    assert scores == sorted(scores, reverse=True)
    from_window = {}
    for name, (left, top, _, _) in windows.items():
        moved = np.array([r["bbox"] for r in crops[name]]) + [left, top, 0, 0]
        from_window[name] = sum(np.abs(moved - box).max(axis=1).min() < 1e-3 for box in boxes)
    assert min(n for name, n in from_window.items() if name != "whole.png") > 0, from_window
    assert sum(from_window.values()) > len(boxes) / 2, (from_window, len(boxes))
    assert np.allclose([r["score"] for r in other["large.png"]], scores, rtol=0, atol=1e-4)

    predict(ws, weights, "suppressed", *one, "--tile", 200, "--nms", 0.05, images=[ws("large.png")])
    kept, all_of_it = coco(ws("suppressed")), found["large.png"]
    corners = torch.tensor([r["bbox"] for r in all_of_it])
    corners[:, 2:] += corners[:, :2]
    expected = batched_nms(corners, torch.tensor(scores),
                           torch.tensor([r["category_id"] for r in all_of_it]), 0.05).tolist()
    assert ([(r["bbox"], r["score"]) for r in kept]
            == [(all_of_it[k]["bbox"], scores[k]) for k in expected])
    assert 0 < len(kept) < len(all_of_it)


def stopped(ws, weights):
    """What is complete when a signal comes is written. Of a killed run the JSON lines remain."""
    os.makedirs(ws("many"))
    for k in range(3000):
        os.link(ws("photos", "a.jpg"), ws("many", f"{k:04}.jpg"))
    for number, name in ((signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM"),
                         (signal.SIGKILL, "")):
        output = ws(f"stopped{number}")
        process = subprocess.Popen(
            [os.path.join(BIN, "dfine-predict"), "--weights", weights, "--image-size", "128",
             "--threshold", "0", "--top-k", "3", "--images", ws("many"), "--output", output,
             "--format", "coco", "jsonl", "csv", "yolo"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        progress = os.path.join(output, "predictions.jsonl")
        deadline = time.time() + 60
        while not os.path.exists(progress) or content(progress).count(b"\n") < 5:
            assert process.poll() is None and time.time() < deadline, process.stdout.read()
            time.sleep(0.01)
        process.send_signal(number)
        out = process.communicate(timeout=60)[0]
        raw = content(progress)
        done = lines(output) if name else [json.loads(r) for r in raw.split(b"\n")[:-1]]
        assert 5 <= len(done) < 3000, len(done)
        assert [r["file_name"] for r in done] == [f"{k:04}.jpg" for k in range(len(done))]
        if not name:
            assert process.returncode == -number
            assert not os.path.exists(os.path.join(output, "predictions.json"))
            continue
        assert process.returncode == 75, out
        says(out, name, "[interrupted]", f"{len(done):,} of 3,000", output)
        assert coco(output) == flat(done)
        assert len(os.listdir(os.path.join(output, "labels"))) == len(done) == len(drawn(output))
        with open(os.path.join(output, "predictions.csv"), newline="") as f:
            assert len(list(csv.reader(f))) == 1 + 3 * len(done)
        assert not any("partial" in n for _, _, names in os.walk(output) for n in names)


def main():
    os.environ["OMP_NUM_THREADS"] = "1"  # many short runs, perhaps beside other tests
    with Workspace() as ws:
        weights = trained_weights(ws)
        photos(ws)
        for part in (every_form_holds_the_same, a_batch_changes_rounding_alone,
                     patterns_and_lists, packs, choices, tiles, stopped):
            part(ws, weights)
            print(part.__name__, "passed", flush=True)
    print("all passed")


if __name__ == "__main__":
    main()
