"""Classes are matched by name: in evaluation, in validation, on resume."""
import copy
import json


def check(case):
    def packed(name, coco):
        with open(case(name + ".json"), "w") as f:
            json.dump(coco, f)
        case.run("dfine-pack", "--images", "images", "--annotations", name + ".json",
                 "--output", name)

    def evaluated(pack):
        out = case.run("dfine-eval", "--weights", "RUN/checkpoints/best", "--data", pack,
                       "--device", "cpu", "--output", "metrics.json")
        with open(case("metrics.json")) as f:
            return json.load(f)["val_loss"], out

    # Seven cats and a dog, the other export of the very same annotations, and one in which all
    # classes are exchanged.
    with open(case("a.json")) as f:
        cats = json.load(f)
    for annotation in cats["annotations"]:
        annotation["category_id"] = 2 if annotation["id"] == 8 else 1
    same = copy.deepcopy(cats)
    for record in same["annotations"] + same["categories"]:
        key = "category_id" if "category_id" in record else "id"
        record[key] = 3 - record[key]
    packed("cats", cats)
    packed("same", same)
    packed("dogs", {**cats, "categories": same["categories"]})
    case.run("dfine-pack", "--images", "images", "--annotations", "swapped.json", "--output", "B")
    case.run("dfine_ddp", "--config", "tiny.toml", "--set", "run.device=cpu",
             "--set", "data.train=cats", "--set", "data.val=cats",
             "--set", "optim.lr=1e-3", "--set", "optim.warmup_steps=0")
    assert "B and RUN/checkpoints/best" in evaluated("B")[1] and "2 of 2" in evaluated("B")[1]
    assert "by name" not in evaluated("cats")[1]
    loss = {pack: evaluated(pack)[0] for pack in ("cats", "same", "dogs")}
    assert loss["same"] == loss["cats"] and loss["dogs"] != loss["cats"], loss

    out = case.run("dfine_ddp", "--config", "tiny.toml", "--set", "run.device=cpu",
                   "--set", "data.train=same", "--set", "data.val=cats",
                   "--set", "train.epochs=3", "--resume", "auto",
                   "--set", 'run.allow_changed=["data", "classes"]')
    assert "data.train and RUN/checkpoints/step-" in out, out
    assert "data.val and data.train" in out, out
    with open(case("RUN", "checkpoints", "last", "config.json")) as f:
        config = json.load(f)
    assert (config["id2label"] == {"0": "cat", "1": "dog"} and config["dfine_category_ids"]
            == [2, 1]), config

    other = copy.deepcopy(same)
    other["categories"][0]["name"] = "cow"
    packed("other", other)
    refused = [case.run("dfine-eval", "--weights", "RUN/checkpoints/best",
                        "--data", "other", expect=1),
               case.run("dfine_ddp", "--config", "tiny.toml", "--set", "data.train=other",
                        "--set", "data.val=other", "--resume", "auto", expect=1),
               case.run("dfine_ddp", "--config", "tiny.toml", "--set", "run.dir=NEW",
                        "--set", "data.train=cats", "--set", "data.val=other", expect=1),
               case.run("dfine-predict", "--weights", "RUN/checkpoints/best", "--images", "images",
                        "--annotations", "other.json", expect=1)]
    for out in refused:
        assert "other classes" in out and "cow" in out and "cat" in out and "dog" in out, out
