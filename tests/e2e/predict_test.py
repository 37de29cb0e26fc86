"""dfine-predict beside the user's own files: nothing is overwritten, nothing is mixed up, and one bad image costs no other its results."""
import json
import os
import shutil

from PIL import Image

from common import BCCD, SOURCE, Workspace, pack, run, subset


def says(text, *needles):
    for needle in needles:
        assert needle in text, f"{needle!r} is not in:\n{text}"


def content(path):
    with open(path, "rb") as f:
        return f.read()


def trained_weights(ws):
    """One step of D-FINE-N at 128: weights that find something in every image at threshold 0."""
    subset("train", 2, ws("train.json"))
    pack(ws("train.json"), ws("train"))
    keys = {"run.dir": ws("run"), "run.device": "cpu", "run.threads": 1, "data.train": ws("train"), "data.image_size": 128, "data.batch_size": 2,
            "data.workers": 0, "model.num_queries": 50, "train.epochs": 1, "validate.every_epochs": 0, "train.preflight": "false"}
    run("dfine_ddp", "--config", os.path.join(SOURCE, "configs", "n.toml"), *(x for k, v in keys.items() for x in ("--set", f"{k}={v}")))
    return ws("run", "checkpoints", "last")


def results(folder):
    """predictions.json as {file_name: (set of image ids, number of detections)}."""
    found = {}
    with open(os.path.join(folder, "predictions.json")) as f:
        for p in json.load(f):
            ids, count = found.get(p["file_name"], (set(), 0))
            found[p["file_name"]] = (ids | {p["image_id"]}, count + 1)
    return found


def drawn(folder):
    """{picture: its size}, sub-folders too."""
    paths = (os.path.join(d, name) for d, _, names in os.walk(folder) for name in names if name.endswith(".jpg"))
    return {os.path.relpath(p, folder): Image.open(p).size for p in paths}


def images_are_kept(ws):
    """Where a drawn picture would replace an image nothing is touched, and this is said before the weights are looked at."""
    os.makedirs(ws("photos", "sub"))
    shutil.copy(ws("wide.jpg"), ws("photos", "sub", "a.jpg"))
    shutil.copy(ws("tall.jpg"), ws("photos", "b.png"))
    before = content(ws("photos", "sub", "a.jpg"))
    missing = ["--weights", ws("nowhere"), "--images"]
    out = run("dfine-predict", *missing, ws("photos"), "--output", ws("photos"), expect=2)
    says(out, ws("photos", "sub", "a.jpg"), "would replace the image", "--output")
    run("dfine-predict", *missing, ws("photos", "sub", "a.jpg"), "--output", ws("photos", "sub", "..", "sub"), expect=2)
    # The picture of one image would replace another one.
    shutil.copy(ws("wide.jpg"), ws("photos", "b.png.jpg"))
    says(run("dfine-predict", *missing, ws("photos", "b.png"), ws("photos", "b.png.jpg"), "--output", ws("photos"), expect=2), "b.png.jpg")
    os.remove(ws("photos", "b.png.jpg"))
    assert content(ws("photos", "sub", "a.jpg")) == before and sorted(os.listdir(ws("photos"))) == ["b.png", "sub"]


def names_are_told_apart(ws, weights):
    """Same names in two folders, a name that is another's picture, a file given twice, a link to a file elsewhere."""
    for folder in ("x/d1", "x/d2", "elsewhere"):
        os.makedirs(ws(folder))
    shutil.copy(ws("wide.jpg"), ws("x", "d1", "a.jpg"))
    shutil.copy(ws("tall.jpg"), ws("x", "d2", "a.jpg"))
    Image.new("RGB", (30, 20)).save(ws("x", "d1", "b.png"))
    Image.new("RGB", (50, 40)).save(ws("x", "d1", "b.png.jpg"))
    shutil.copy(ws("tall.jpg"), ws("elsewhere", "c.jpg"))
    os.symlink(ws("elsewhere", "c.jpg"), ws("x", "d2", "link.jpg"))
    before = content(ws("elsewhere", "c.jpg"))
    inputs = ["--weights", weights, "--image-size", 128, "--threshold", 0, "--images", ws("x", "d1"), ws("x", "d2"), ws("x", "d1", "..", "d2", "a.jpg")]
    run("dfine-predict", *inputs, "--output", ws("out"))
    found = results(ws("out"))
    assert set(found) == {"d1/a.jpg", "d2/a.jpg", "b.png", "b.png.jpg", "link.jpg"}, found
    assert sorted(min(ids) for ids, _ in found.values()) == [1, 2, 3, 4, 5] and all(len(ids) == 1 for ids, _ in found.values()), found
    assert len({count for _, count in found.values()}) == 1, found  # each image once: 50 queries, 3 classes
    wide, tall = Image.open(ws("wide.jpg")).size, Image.open(ws("tall.jpg")).size
    expected = {"d1/a.jpg": wide, "d2/a.jpg": tall, "b.png.jpg.jpg": (30, 20), "b.png.jpg": (50, 40), "link.jpg": tall}
    assert drawn(ws("out")) == expected, drawn(ws("out"))
    assert content(ws("elsewhere", "c.jpg")) == before

    # Image ids of an annotation file go by the same names; one that it lacks is named at once.
    coco = {"images": [{"id": 10 * i, "file_name": name, "width": w, "height": h} for i, (name, (w, h)) in
                       enumerate({"d1/a.jpg": wide, "d2/a.jpg": tall, "b.png": (30, 20), "b.png.jpg": (50, 40), "link.jpg": tall}.items(), 1)],
            "annotations": [], "categories": [{"id": i, "name": name} for i, name in enumerate(("RBC", "WBC", "Platelets"), 1)]}
    with open(ws("names.json"), "w") as f:
        json.dump(coco, f)
    run("dfine-predict", *inputs, "--output", ws("out"), "--annotations", ws("names.json"))
    assert {name: ids for name, (ids, _) in results(ws("out")).items()} == {i["file_name"]: {i["id"]} for i in coco["images"]}
    coco["images"][0]["file_name"] = "a.jpg"
    with open(ws("names.json"), "w") as f:
        json.dump(coco, f)
    nowhere = ["--weights", ws("nowhere"), *inputs[2:]]
    says(run("dfine-predict", *nowhere, "--annotations", ws("names.json"), expect=1), "d1/a.jpg", "names.json")


def others_results_are_kept(ws, weights):
    os.makedirs(ws("mixed"))
    shutil.copy(ws("wide.jpg"), ws("mixed", "a.jpg"))
    shutil.copy(ws("tall.jpg"), ws("mixed", "z.jpg"))
    with open(ws("mixed", "cut.jpg"), "wb") as f:
        f.write(content(ws("wide.jpg"))[:-2000])
    with open(ws("mixed", "empty.png"), "wb"):
        pass
    out = run("dfine-predict", "--weights", weights, "--image-size", 128, "--threshold", 0, "--images", ws("mixed"), "--output", ws("kept"), expect=1)
    says(out, ws("mixed", "cut.jpg"), ws("mixed", "empty.png"), "2 of 4 images could not be read", "on 2 images")
    found = results(ws("kept"))
    assert {name: ids for name, (ids, _) in found.items()} == {"a.jpg": {1}, "z.jpg": {4}}, found
    assert set(drawn(ws("kept"))) == {"a.jpg", "z.jpg"}
    out = run("dfine-predict", "--weights", weights, "--images", ws("mixed", "cut.jpg"), "--output", ws("none"), expect=1)
    says(out, "1 of 1 image could not be read")
    assert results(ws("none")) == {} and "the highest is" not in out, out


def wrong_options(ws, weights):
    for wrong in ("nan", "-0.1", "1.5", "inf"):
        says(run("dfine-predict", "--weights", ws("nowhere"), "--images", ws("wide.jpg"), "--threshold", wrong, expect=2), "--threshold", "0 to 1")
    # Failures of LibTorch come without its stack of frames: here, more memory than any address space has.
    for program in (["dfine-predict", "--images", ws("wide.jpg")], ["dfine-eval", "--data", ws("train")]):
        out = run(program[0], "--weights", weights, *program[1:], "--image-size", 32_000_000, expect=1)
        assert "frame #" not in out and "Exception raised from" not in out and program[0] in out, out
    shutil.copytree(weights, ws("negative"))
    with open(ws("negative", "preprocessor_config.json"), "r+") as f:
        settings = json.load(f)
        settings["size"]["height"] = -32
        f.seek(0)
        f.truncate()
        json.dump(settings, f)
    out = run("dfine-predict", "--weights", ws("negative"), "--images", ws("wide.jpg"), expect=1)
    says(out, "preprocessor_config.json", "height = -32")


def main():
    with Workspace() as ws:
        weights = trained_weights(ws)
        picture = Image.open(os.path.join(BCCD, "images", os.listdir(os.path.join(BCCD, "images"))[0])).convert("RGB")
        picture.resize((160, 120)).save(ws("wide.jpg"))
        picture.resize((120, 160)).save(ws("tall.jpg"))
        images_are_kept(ws)
        names_are_told_apart(ws, weights)
        others_results_are_kept(ws, weights)
        wrong_options(ws, weights)
    print("all passed")


if __name__ == "__main__":
    main()
