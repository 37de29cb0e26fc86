"""Every photo is predicted, or listed with a reason that names its format."""
import json
import os


def one_step_of_training(case):
    """A checkpoint of one step on a.jpg."""
    boxes = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 60, 50],
              "area": 3000, "iscrowd": 0}]
    with open(case("a.json"), "w") as f:
        json.dump({"images": [{"id": 1, "file_name": "a.jpg", "width": 160, "height": 120}],
                   "annotations": boxes,
                   "categories": [{"id": 1, "name": "thing"}]}, f)
    case.run("dfine-pack", "--images", "photos", "--annotations", "a.json", "--output", "pack")
    keys = {"run.dir": "run", "run.device": "cpu", "run.threads": 1, "data.train": "pack",
            "data.image_size": 128, "data.batch_size": 1,
            "data.workers": 0, "model.num_queries": 30, "train.epochs": 1,
            "validate.every_epochs": 0, "train.preflight": "false"}
    config = os.path.join(os.environ["DFINE_SOURCE_DIR"], "configs", "n.toml")
    case.run("dfine_ddp", "--config", config,
             *(x for k, v in keys.items() for x in ("--set", f"{k}={v}")))
    return "run/checkpoints/last"


def check(case):
    weights = one_step_of_training(case)
    out = case.run("dfine-predict", "--weights", weights, "--images", "photos", "--threshold", 0,
                   "--output", "out", expect=1)
    with open(case("out", "predictions.json")) as f:
        names = {p["file_name"] for p in json.load(f)}
    assert names == {"a.jpg", "b.jfif", "c.bmp", "d.tif"}, (names, out)
    pictures = {name for name in os.listdir(case("out")) if name.endswith(".jpg")}
    assert pictures == {"a.jpg", "b.jfif.jpg", "c.bmp.jpg", "d.tif.jpg"}, pictures
    assert "on 4 images" in out and "2 of 6 images" in out and "[image_unsupported]" in out, out
    for name, kind in (("e.heic", "a HEIC image"), ("f.avif", "an AVIF image")):
        line = next(line for line in out.splitlines() if os.path.join("photos", name) in line)
        assert kind in line, out
