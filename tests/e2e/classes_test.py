"""Two class lists that meet: the same names with other ids are one set of classes, wherever they
meet; other names are not.
"""
import copy
import json
import os
import re
import shutil

import torch
from safetensors.torch import load_file

from common import BCCD, SOURCE, Workspace, pack, records, run, says, subset

# Ids of the annotation files, by class: mscoco_category2name in src/data/dataset/coco_dataset.py of
# Peterande/D-FINE skips these.
COCO_IDS = [i for i in range(1, 91) if i not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)]


def write(path, value):
    with open(path, "w") as f:
        json.dump(value, f)
    return path


def exported_again(coco, ids):
    """The same annotations with other ids for the classes: ids[old] = new."""
    coco = copy.deepcopy(coco)
    for category in coco["categories"]:
        category["id"] = ids[category["id"]]
    for annotation in coco["annotations"]:
        annotation["category_id"] = ids[annotation["category_id"]]
    return coco


def renamed(coco, old, new):
    coco = copy.deepcopy(coco)
    for category in coco["categories"]:
        category["name"] = new if category["name"] == old else category["name"]
    return coco


def settings(ws, name, **more):
    keys = {"run.dir": ws(name), "run.device": "cpu", "run.threads": 1, "run.deterministic": "true",
            "data.image_size": 128, "data.batch_size": 2,
            "data.workers": 1, "model.num_queries": 50, "train.epochs": 2,
            "train.preflight": "false", "optim.lr": 4e-4, "optim.warmup_steps": 0,
            "data.train": ws("train"), "data.val": ws("val"), **more}
    return ["dfine_ddp", "--config", os.path.join(SOURCE, "configs", "n.toml"),
            *(x for k, v in keys.items() for x in ("--set", f"{k}={v}"))]


def with_config(ws, name, checkpoint, change):
    """A copy of the checkpoint with another config.json."""
    shutil.copytree(checkpoint, ws(name), ignore=shutil.ignore_patterns("manifest.json"))
    with open(ws(name, "config.json")) as f:
        config = json.load(f)
    change(config)
    write(ws(name, "config.json"), config)
    return ws(name)


def metrics(ws, weights, data, *options):
    """metrics.json of dfine-eval with its classes by name, and what was printed."""
    out = run("dfine-eval", "--weights", weights, "--data", ws(data),
              "--output", ws("metrics.json"), "--device", "cpu", *options)
    with open(ws("metrics.json")) as f:
        found = json.load(f)
    found["classes"] = {c["name"]: {k: v for k, v in c.items() if k not in ("category_id", "name")}
                        for c in found["classes"]}
    return found, out


def prepare(ws):
    ws.coco = {part: subset(part, count, ws(part + ".json"))
               for part, count in (("train", 6), ("val", 6))}
    ids = {c["id"]: c["name"] for c in ws.coco["train"]["categories"]}
    assert ids == {1: "RBC", 2: "WBC", 3: "Platelets"}, ids
    for part, coco in ws.coco.items():
        pack(ws(part + ".json"), ws(part))
        pack(write(ws(part + "-again.json"), exported_again(coco, {1: 30, 2: 10, 3: 20})),
             ws(part + "-again"))
        pack(write(ws(part + "-other.json"), renamed(coco, "WBC", "leukocyte")),
             ws(part + "-other"))
    run(*settings(ws, "plain"))
    ws.last = ws("plain", "checkpoints", "last")


def evaluation_goes_by_name(ws):
    plain, out = metrics(ws, ws.last, "val")
    assert "by name" not in out and "classes" in plain
    again, out = metrics(ws, ws.last, "val-again")
    says(out, " by name", "3 of 3", "id, 3")
    assert again == plain, (again, plain)
    # It matters: the exchanged classes, taken by their ids, have another loss.
    swapped = exported_again(renamed(renamed(renamed(ws.coco["val"], "RBC", "x"), "WBC", "RBC"),
                                     "x", "WBC"), {1: 1, 2: 2, 3: 3})
    pack(write(ws("swapped.json"), swapped), ws("swapped"))
    assert abs(metrics(ws, ws.last, "swapped")[0]["val_loss"] - plain["val_loss"]) > 1e-3
    out = run("dfine-eval", "--weights", ws.last, "--data", ws("val-other"), expect=1)
    says(out, "[class_mismatch]", "(3 classes): 1 RBC, 2 WBC, 3 Platelets",
         "(3 classes): 1 RBC, 2 leukocyte, 3 Platelets")

    # Published weights have no ids, and sometimes no names.
    published = with_config(ws, "published", ws.last, lambda c: c.pop("dfine_category_ids"))
    assert metrics(ws, published, "val")[0] == plain
    again, out = metrics(ws, published, "val-again")
    says(out, "3 of 3", "position")
    assert again == plain
    says(run("dfine-eval", "--weights", published, "--data", ws("val-other"), expect=1),
         "(3 classes): RBC, WBC, Platelets", "2 leukocyte")

    def without_names(config):
        config.pop("dfine_category_ids"), config.pop("id2label"), config.pop("label2id")

    nameless = with_config(ws, "nameless", ws.last, without_names)
    by_position, out = metrics(ws, nameless, "val")
    says(out, nameless, "same order")
    assert by_position == plain
    assert metrics(ws, nameless, "val-again")[0]["val_loss"] != plain["val_loss"]


def validation_goes_by_name(ws):
    out = run(*settings(ws, "val-by-name", **{"data.val": ws("val-again")}))
    says(out, "data.val and data.train", " by name")
    assert records(ws("val-by-name"), "val") == records(ws("plain"), "val")
    out = run(*settings(ws, "refused", **{"data.val": ws("val-other")}), expect=1)
    says(out, "[class_mismatch]", "data.val", "data.train", "1 RBC, 2 leukocyte, 3 Platelets",
         "1 RBC, 2 WBC, 3 Platelets")


def a_resumed_run_keeps_its_labels(ws):
    """Continued on the other export the run is, to the last bit, what it would have been; under two
    ranks rank zero's reading reaches both.
    """
    run(*settings(ws, "half", **{"train.epochs": 1}))
    half = ws("half", "checkpoints", "last")
    half = os.path.realpath(half)
    again = {"data.train": ws("train-again"), "data.val": ws("val-again")}
    out = run(*settings(ws, "resumed", **again), "--resume", half, expect=1)
    says(out, "[checkpoint_mismatch]", "data.train: ", "data.val: ",
         "classes: RBC, WBC and Platelets ", "run.allow_changed")
    again["run.allow_changed"] = '["data", "classes"]'
    out = run(*settings(ws, "resumed", **again), "--resume", half)
    says(out, f"data.train and {half}", " by name")
    resumed = ws("resumed", "checkpoints", "last")
    want, have = load_file(os.path.join(ws.last, "model.safetensors")), load_file(
        os.path.join(resumed, "model.safetensors"))
    assert want.keys() == have.keys() and all(torch.equal(want[k], have[k]) for k in want)
    assert records(ws("resumed"), "val")[-1] == records(ws("plain"), "val")[-1]
    with open(os.path.join(resumed, "config.json")) as f:
        config = json.load(f)
    assert (config["id2label"] == {"0": "RBC", "1": "WBC", "2": "Platelets"}
            and config["dfine_category_ids"] == [30, 10, 20]), config
    assert metrics(ws, resumed, "val")[0] == metrics(ws, ws.last, "val")[0]
    # Once more, from a checkpoint whose ids are not in ascending order.
    run(*settings(ws, "resumed", **{"train.epochs": 3, "run.allow_changed": "data"}),
        "--resume", "auto")
    run(*settings(ws, "plain", **{"train.epochs": 3}), "--resume", "auto")
    assert records(ws("resumed"), "val")[-1] == records(ws("plain"), "val")[-1]

    out = run(*settings(ws, "half", **{"data.train": ws("train-other"),
                                       "data.val": ws("val-other")}), "--resume", "auto", expect=1)
    says(out, "[class_mismatch]", "data.train", "1 RBC, 2 WBC, 3 Platelets",
         "1 RBC, 2 leukocyte, 3 Platelets", "--resume none")
    # A pack without names, or with another spelling: the checkpoint's names stay.
    for name, names in (("nameless", ["LABEL_0", "LABEL_1", "LABEL_2"]),
                        ("spelled", ["rbc", "wbc", "PLATELETS"])):
        for part in ("train", "val"):
            coco = copy.deepcopy(ws.coco[part])
            for category, other in zip(sorted(coco["categories"], key=lambda c: c["id"]), names):
                category["name"] = other
            pack(write(ws(f"{part}-{name}.json"), coco), ws(f"{part}-{name}"))
        data = {"data.train": ws("train-" + name), "data.val": ws("val-" + name),
                "run.allow_changed": '["data", "classes"]'}
        out = run(*settings(ws, "resumed-" + name, **data), "--resume", half)
        says(out, "with the same ids" if name == "nameless" else "have another spelling")
        with open(ws("resumed-" + name, "checkpoints", "last", "config.json")) as f:
            config = json.load(f)
        assert config["id2label"] == {"0": "RBC", "1": "WBC", "2": "Platelets"}, config
    two = {"data.batch_size": 1, **again}
    run(*settings(ws, "two", **two), "--resume", half, ranks=2)
    assert abs(records(ws("two"), "val")[-1]["val_loss"]
               - records(ws("plain"), "val")[1]["val_loss"]) < 1e-3


def predictions(ws, weights, *options):
    run("dfine-predict", "--weights", weights, "--images", ws("photos"), "--threshold", 0,
        "--output", ws("out"), "--device", "cpu", *options)
    with open(ws("out", "predictions.json")) as f:
        return json.load(f)


def predicted(ws, weights, *options):
    return run("dfine-predict", "--weights", weights, "--images", ws("photos"), "--threshold", 0,
               "--output", ws("out"), "--device", "cpu", *options)


def predictions_carry_the_annotations_ids(ws):
    os.makedirs(ws("photos"))
    for image in ws.coco["val"]["images"][:3]:
        shutil.copy(os.path.join(BCCD, "images", image["file_name"]), ws("photos"))

    def ids_are(found, ids):
        assert {(p["category_name"], p["category_id"]) for p in found} == set(ids.items()), found

    own = {"RBC": 1, "WBC": 2, "Platelets": 3}
    ids_are(predictions(ws, ws.last), own)
    for weights in (ws.last, ws("published")):
        plain = predictions(ws, weights)
        again = predictions(ws, weights, "--annotations", ws("val-again.json"))
        ids_are(again, {"RBC": 30, "WBC": 10, "Platelets": 20})
        assert [(p["category_name"], p["bbox"], p["score"])
                for p in again] == [(p["category_name"], p["bbox"], p["score"]) for p in plain]
    says(predicted(ws, ws.last, "--annotations", ws("val-again.json")), " by name")
    # A category that only groups others is nobody's class.
    grouped = copy.deepcopy(ws.coco["val"])
    grouped["categories"].append({"id": 0, "name": "cells"})
    ids_are(predictions(ws, ws.last, "--annotations", write(ws("grouped.json"), grouped)), own)
    out = run("dfine-predict", "--weights", ws.last, "--images", ws("photos"),
              "--annotations", ws("val-other.json"), expect=1)
    says(out, "[class_mismatch]", "1 RBC, 2 WBC, 3 Platelets", "1 RBC, 2 leukocyte, 3 Platelets")

    says(predicted(ws, ws("published")), "category_id", "0 to 2", "--annotations FILE.json")
    ids_are(predictions(ws, ws("published")), {"RBC": 0, "WBC": 1, "Platelets": 2})
    assert all("category_name" not in p for p in predictions(ws, ws("nameless")))
    says(predicted(ws, ws("nameless"), "--annotations", ws("val.json")), ws("nameless"),
         "same order")


def file_names_stand_above_image_ids(ws):
    """Predictions made without --annotations number the images by name; the dataset has other
    numbers.
    """
    names = sorted(os.listdir(ws("photos")))
    truth = copy.deepcopy(ws.coco["val"])
    truth["images"] = [{**i, "id": 3 - names.index(i["file_name"])} for i in truth["images"]
                       if i["file_name"] in names]
    # The boxes to find are each image's best five detections, so that the metrics tell right from
    # wrong.
    truth["annotations"] = []
    found, best = predictions(ws, ws.last, "--annotations", write(ws("truth.json"), truth)), []
    for image in truth["images"]:
        best += [p for p in found if p["image_id"] == image["id"]][:5]
    truth["annotations"] = [{"id": i, "image_id": p["image_id"], "category_id": p["category_id"],
                             "bbox": p["bbox"], "iscrowd": 0,
                             "area": p["bbox"][2] * p["bbox"][3]} for i, p in enumerate(best, 1)]
    write(ws("truth.json"), truth)

    def evaluated(*options):
        out = predicted(ws, ws.last, *options)
        out = run("dfine-eval", "--annotations", ws("truth.json"),
                  "--predictions", ws("out", "predictions.json"), "--output", ws("metrics.json"))
        with open(ws("metrics.json")) as f:
            return json.load(f), out

    right, out = evaluated("--annotations", ws("truth.json"))
    assert "matched" not in out and right["ar100"] > 0.5, (out, right)  # each box is a detection
    by_name, out = evaluated()
    says(out, " file name")
    assert by_name == right
    # A ground truth without class names: the ids count, whichever class is predicted first.
    kept = copy.deepcopy(truth)
    named_truth = copy.deepcopy(kept)
    for category in kept["categories"]:
        category["name"] = f"LABEL_{category['id'] - 1}"
    write(ws("truth.json"), kept)
    without_names, out = evaluated()
    says(out, "category ids")
    assert without_names["ap"] == right["ap"], (without_names, right)
    # Ids that the ground truth does not have at all, although it has the names.
    write(ws("truth.json"), exported_again(named_truth, {1: 11, 2: 20, 3: 30}))
    other_ids, out = evaluated()
    says(out, "classes", " by name")
    assert other_ids["ap"] == right["ap"], (other_ids, right)
    # Category ids that mean other classes, likewise.
    numbers = {c["id"]: c["name"] for c in truth["categories"]}
    of_name = {name: i for i, name in numbers.items()}
    write(ws("truth.json"), exported_again(truth, {1: 2, 2: 3, 3: 1}))
    by_both, out = evaluated()
    says(out, " file name", "classes", "by name")

    def by_class(found):
        return {c["name"]: {k: v for k, v in c.items() if k not in ("category_id", "name")}
                for c in found["classes"]}

    # summed in another order
    assert (by_class(by_both) == by_class(right) and abs(by_both["ap"] - right["ap"])
            < 1e-12), (by_both, right)
    with open(ws("out", "predictions.json")) as f:
        records = json.load(f)
    assert ({p["category_name"] for p in records} <= set(of_name)
            and all(of_name[p["category_name"]] == p["category_id"] for p in records))
    write(ws("out", "predictions.json"), [{k: v for k, v in p.items() if k != "category_name"
                                           or p["category_id"] != 1} for p in records])
    evaluate = ["dfine-eval", "--annotations", ws("truth.json"),
                "--predictions", ws("out", "predictions.json")]
    says(run(*evaluate, expect=1), "[class_mismatch]", "category_name")
    write(ws("out", "predictions.json"),
          [{**p, "category_name": p["category_name"].replace("WBC", "leukocyte")} for p in records])
    says(run(*evaluate, expect=1), "[class_mismatch]", "leukocyte", "3 WBC")


def cocos_classes_have_cocos_ids(ws):
    """80 classes with COCO's names and no ids, as in published weights, in COCO's order and in
    another one.
    """
    coco = copy.deepcopy(ws.coco["train"])
    source = open(os.path.join(SOURCE, "src", "classes", "class_lists.cpp")).read()
    names = "".join(re.findall(
        r'"([^"]*)"', source[source.index("kCoco ="):source.index("kObjects365")])).split(",")
    assert len(names) == len(COCO_IDS) == 80
    of_name = dict(zip(names, COCO_IDS))
    # Known ones, from the table named above.
    assert (of_name["person"], of_name["stop sign"], of_name["backpack"], of_name["bed"],
            of_name["toothbrush"]) == (1, 13, 27, 65, 90)
    coco["categories"] = [{"id": i, "name": name} for i, name in enumerate(names[::-1])]
    pack(write(ws("coco.json"), coco), ws("coco"))
    run(*settings(ws, "coco-run",
                  **{"data.train": ws("coco"), "validate.every_epochs": 0, "train.epochs": 1}))
    weights = with_config(ws, "coco-weights", ws("coco-run", "checkpoints", "last"),
                          lambda c: c.pop("dfine_category_ids"))
    out = predicted(ws, weights)
    says(out, "COCO")
    with open(ws("out", "predictions.json")) as f:
        ids = [p["category_id"] for p in json.load(f)]
    lines = run("dfine-predict", "--weights", weights, "--images", ws("photos"), "--threshold", 0,
                "--device", "cpu").splitlines()
    labels = [line.split("  ")[1] for line in lines if ".jpg  " in line]
    assert len(set(labels)) > 5 and ids == [of_name[label] for label in labels], set(labels)

    def without_names(config):
        config.pop("dfine_category_ids"), config.pop("id2label"), config.pop("label2id")

    nameless = with_config(ws, "coco-nameless", ws("coco-run", "checkpoints", "last"),
                           without_names)
    says(predicted(ws, nameless), "80 classes", "COCO")
    with open(ws("out", "predictions.json")) as f:
        positions = [names[::-1].index(label) for label in labels]
        assert [p["category_id"]
                for p in json.load(f)] == [COCO_IDS[position] for position in positions]


def main():
    with Workspace() as ws:
        for part in (prepare, evaluation_goes_by_name, validation_goes_by_name,
                     a_resumed_run_keeps_its_labels,
                     predictions_carry_the_annotations_ids, file_names_stand_above_image_ids,
                     cocos_classes_have_cocos_ids):
            part(ws)
            print(part.__name__, "passed", flush=True)
    print("all passed")


if __name__ == "__main__":
    main()
