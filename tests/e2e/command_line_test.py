"""What users type wrongly: exit codes, and messages that name the cause."""
import json
import os
import shutil

from PIL import Image

from common import BCCD, SOURCE, Workspace, pack, run, subset

CONFIG = os.path.join(SOURCE, "configs", "n.toml")


def says(text, *needles):
    for needle in needles:
        assert needle in text, f"{needle!r} is not in:\n{text}"


def main():
    for program in ("dfine-pack", "dfine_ddp", "dfine-eval", "dfine-predict"):
        says(run(program, "--help"), program)
        says(run(program, "--version"), "0.1")
        run(program, "--no-such-option", expect=2)
        run(program, expect=2)

    with Workspace() as ws:
        subset("train", 4, ws("train.json"))
        other = subset("val", 2, ws("val.json"))
        other["categories"] = [dict(c, name=c["name"] + "2") for c in other["categories"]]
        with open(ws("other.json"), "w") as f:
            json.dump(other, f)
        pack(ws("train.json"), ws("train"))
        pack(ws("val.json"), ws("val"))
        pack(ws("other.json"), ws("other"))
        data = ["--set", f"data.train={ws('train')}", "--set", f"data.val={ws('val')}", "--set", f"run.dir={ws('run')}", "--set", "run.device=cpu",
                "--set", "data.batch_size=2"]

        # configuration
        with open(ws("typo.toml"), "w") as f:
            f.write('[model]\nsize = "n"\n[optim]\nlearning_rate = 1e-4\n')
        says(run("dfine_ddp", "--config", ws("typo.toml"), expect=2), "typo.toml", "4", "learning_rate")
        says(run("dfine_ddp", "--config", ws("missing.toml"), expect=2), "missing.toml")
        says(run("dfine_ddp", "--config", CONFIG, "--set", "optim.lr=fast", expect=2), "optim.lr", "fast")
        says(run("dfine_ddp", "--config", CONFIG, "--set", "data.batch_size=", expect=2), "value of data.batch_size is missing")
        printed = run("dfine_ddp", "--config", CONFIG, "--print-config")
        says(printed, "[optim]", "batch_size", "freeze_norm")
        with open(ws("printed.toml"), "w") as f:
            f.write(printed)
        assert run("dfine_ddp", "--config", ws("printed.toml"), "--print-config") == printed
        # A configuration that is only looked at may lack what a run needs, and nothing else.
        open(ws("empty.toml"), "w").close()
        says(run("dfine_ddp", "--config", ws("empty.toml"), expect=2), "data.train is not set")
        says(run("dfine_ddp", "--config", ws("empty.toml"), "--print-config"), 'train = ""')
        says(run("dfine_ddp", "--config", ws("typo.toml"), "--print-config", expect=2), "learning_rate")

        # data
        says(run("dfine_ddp", "--config", CONFIG, "--set", "data.train=nowhere", expect=1), "data.train", "nowhere")
        says(run("dfine_ddp", "--config", CONFIG, *data, "--set", "data.batch_size=5", expect=1), "4 images", "global batch of 5", "data.batch_size")
        says(run("dfine_ddp", "--config", CONFIG, *data, "--set", f"data.val={ws('other')}", expect=1), "data.val has other classes than data.train", "RBC2")
        says(run("dfine_ddp", "--config", CONFIG, *data, "--set", "model.weights=nowhere", expect=1), "nowhere")
        says(run("dfine_ddp", "--config", CONFIG, *data, "--resume", ws("nowhere"), expect=1), "nowhere")
        # D-FINE-N has feature maps of strides 16 and 32: 10*10 + 5*5 places for 300 queries, and 14*14 + 7*7 at the smallest size of multi-scale.
        says(run("dfine_ddp", "--config", CONFIG, *data, "--set", "data.image_size=160", expect=1), "model.num_queries is 300", "160x160", "125 places",
             "data.image_size")
        says(run("dfine_ddp", "--config", CONFIG, *data, "--set", "data.image_size=320", "--set", "data.multiscale=true", expect=1), "224x224",
             "245 places", "data.multiscale")
        assert not os.path.exists(ws("run")), "a run folder was made although nothing could be trained"

        # under mpirun a mistake all ranks share is printed once
        out = run("dfine_ddp", "--config", CONFIG, *data, "--set", "data.batch_size=5", ranks=2, expect=1)
        assert out.count("fewer than the global batch") == 1, out

        # a damaged record is named, and stops the job
        shutil.copytree(ws("train"), ws("damaged"))
        shard = ws("damaged", "shard-00000.h5")
        with open(os.path.join(BCCD, "images", json.load(open(ws("train.json")))["images"][2]["file_name"]), "rb") as f:
            needle = f.read()[5000:5100]
        with open(shard, "r+b") as f:
            content = f.read()
            f.seek(content.index(needle) + 50)
            f.write(bytes([content[content.index(needle) + 50] ^ 1]))
        out = run("dfine_ddp", "--config", CONFIG, *data, "--set", f"data.train={ws('damaged')}", "--set", "data.batch_size=1",
                  "--set", "data.image_size=320", "--set", "run.threads=1", ranks=2, expect=1)
        says(out, "shard-00000.h5", json.load(open(ws("train.json")))["images"][2]["file_name"], "rank")

        # prediction
        says(run("dfine-predict", "--weights", ws("nowhere"), "--images", BCCD, expect=1), "nowhere")
        Image.new("RGB", (3, 3)).save(ws("tiny.png"))
        says(run("dfine-predict", "--weights", ws("tiny.png"), "--images", ws("tiny.png"), expect=1), "tiny.png")
    print("all passed")


if __name__ == "__main__":
    main()
