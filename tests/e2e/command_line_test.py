"""What users type wrongly: exit codes, and messages that name the cause."""
import json
import os
import shutil

from PIL import Image

from common import BCCD, SOURCE, Workspace, events, pack, run, says, subset

CONFIG = os.path.join(SOURCE, "configs", "n.toml")


# What was typed, and what must be named. Option names of others: Ultralytics, torchrun, the
# official D-FINE tools.
MISTYPED = {
    "dfine-pack": [
        ("--imags x --annotations y --output z", "--imags", "--images"),
        ("--frmat=yolo", "--frmat", "--format"),
        ("verify x --jbos 3", "--jbos", "--jobs"),
        ("verfy x", "verfy", "verify"),
        ("--workers 4", "--jobs"),
        ("--out x", "--output"),
    ],
    "dfine_ddp": [
        ("--confg x.toml", "--confg", "--config"),
        ("--config x.toml --print-cofnig", "--print-cofnig", "--print-config"),
        ("--cfg x.toml", "--config"),
        ("--config x.toml --patience 5", "--patience", "--set KEY=VALUE", "train.patience"),
        ("--config x.toml --imgsz 320", "--set KEY=VALUE", "data.image_size"),
        ("--config x.toml --optim.lr=1", "--set KEY=VALUE", "optim.lr"),
    ],
    "dfine-eval": [
        ("--wieghts x --data y", "--wieghts", "--weights"),
        ("--weights x --data y --imgsz 320", "--image-size"),
        ("--gt x --dt y", "--predictions"),
    ],
    "dfine-predict": [
        ("--weights x --images y --treshold 0.5", "--treshold", "--threshold"),
        ("--weights x --images y --conf 0.5", "--threshold"),
        ("--weights x --images y --thresh 0.5", "--thresh", "--threshold"),
        ("--model x --source y", "--model", "--weights"),
        ("--weights x --images y --verbose", "--verbose [usage]\n"),
    ],
    "dfine-export": [
        ("--weights x --out y", "--out", "--output"),
        ("--weights x --output y --layout onnx", "--layout", "hub", "official"),
    ],
    "dfine-report": [
        ("x --otuput y", "--otuput", "--output"),
        ("x --gt y --dt z", "--annotations", "--predictions"),
    ],
}


def main():
    for program, mistakes in MISTYPED.items():
        for arguments, *values in mistakes:
            says(run(program, *arguments.split(), expect=2), *values, "[usage]",
                 f"{program} --help")
    out = run("dfine_ddp", "--config", CONFIG, "--patience", 5, ranks=2, expect=2)
    assert out.count("[usage]") == 1 and "--patience" in out and "MPI_ABORT" not in out, out
    assert "dfine_ddp --help" in out.rstrip().splitlines()[-1], out

    for program in ("dfine-pack", "dfine_ddp", "dfine-eval", "dfine-predict", "dfine-weights",
                    "dfine-export"):
        says(run(program, "--help"), program, "exit codes: 0 ")
        says(run(program, "--version"), program + " 0.1")
        run(program, "--no-such-option", expect=2)
        run(program, expect=2)

    other_name = run("dfine-train", "--help")
    says(other_name, "dfine-train [OPTIONS]", "mpirun -np N dfine-train")
    assert "dfine_ddp" not in other_name, other_name
    says(run("dfine-train", "--version"), "dfine-train 0.1")
    says(run("dfine-train", "--confg", "x.toml", expect=2), "dfine-train --help")

    with Workspace() as ws:
        subset("train", 4, ws("train.json"))
        other = subset("val", 2, ws("val.json"))
        other["categories"] = [dict(c, name=c["name"] + "2") for c in other["categories"]]
        with open(ws("other.json"), "w") as f:
            json.dump(other, f)
        pack(ws("train.json"), ws("train"))
        pack(ws("val.json"), ws("val"))
        pack(ws("other.json"), ws("other"))
        data = ["--set", f"data.train={ws('train')}", "--set", f"data.val={ws('val')}",
                "--set", f"run.dir={ws('run')}", "--set", "run.device=cpu",
                "--set", "data.batch_size=2"]

        # configuration
        with open(ws("typo.toml"), "w") as f:
            f.write('[model]\nsize = "n"\n[optim]\nlearning_rate = 1e-4\n')
        says(run("dfine_ddp", "--config", ws("typo.toml"), expect=2), "typo.toml", "4",
             "learning_rate", "[unknown_key]")
        says(run("dfine_ddp", "--config", ws("missing.toml"), expect=2), "missing.toml",
             "[file_missing]")
        says(run("dfine_ddp", "--config", CONFIG, "--set", "optim.lr=fast", expect=2), "optim.lr",
             "fast", "> 0", "[bad_value]")
        with open(ws("bare.toml"), "w") as f:
            f.write("[optim]\nlr = fast\n")
        says(run("dfine_ddp", "--config", ws("bare.toml"), expect=2), "bare.toml:2: optim.lr",
             "fast", "> 0", "[bad_value]")
        says(run("dfine_ddp", "--config", CONFIG, "--set", "data.batch_size=", expect=2),
             "data.batch_size", "[bad_value]")
        printed = run("dfine_ddp", "--config", CONFIG, "--print-config")
        says(printed, "[optim]", "batch_size", "freeze_norm")
        with open(ws("printed.toml"), "w") as f:
            f.write(printed)
        assert run("dfine_ddp", "--config", ws("printed.toml"), "--print-config") == printed
        # A configuration that is only looked at may lack what a run needs, and nothing else.
        open(ws("empty.toml"), "w").close()
        says(run("dfine_ddp", "--config", ws("empty.toml"), expect=2), "data.train",
             "[missing_key]")
        says(run("dfine_ddp", "--config", ws("empty.toml"), "--print-config"), 'train = ""')
        says(run("dfine_ddp", "--config", ws("typo.toml"), "--print-config", expect=2),
             "learning_rate", "[unknown_key]")

        # data
        says(run("dfine_ddp", "--config", CONFIG, "--set", "data.train=nowhere", expect=1),
             "data.train", "nowhere", "[file_missing]")
        says(run("dfine_ddp", "--config", CONFIG, *data, "--set", "data.batch_size=5", expect=1),
             "4 images", " 5 ", "data.batch_size", "[dataset_too_small]")
        says(run("dfine_ddp", "--config", CONFIG, *data, "--set", f"data.val={ws('other')}",
                 expect=1), "data.val", "data.train", "RBC2", "[class_mismatch]")
        says(run("dfine_ddp", "--config", CONFIG, *data, "--set", "model.weights=nowhere",
                 expect=1), "nowhere", "[file_missing]")
        says(run("dfine_ddp", "--config", CONFIG, *data, "--resume", ws("nowhere"), expect=1),
             "nowhere", "[file_missing]")
        # D-FINE-N has feature maps of strides 16 and 32: 10*10 + 5*5 places for 300 queries, and
        # 14*14 + 7*7 at the smallest size of multi-scale.
        says(run("dfine_ddp", "--config", CONFIG, *data, "--set", "data.image_size=160", expect=2),
             "[conflicting_settings]", "model.num_queries is 300", "160x160", "125 places",
             "data.image_size")
        says(run("dfine_ddp", "--config", CONFIG, *data, "--set", "data.image_size=320",
                 "--set", "data.multiscale=true", expect=2), "224x224",
             "245 places", "data.multiscale")
        # What cannot end well is found before the trial step.
        with open(ws("file"), "w") as f:
            f.write("")
        for folder, code in ((ws("file"), "[file_exists]"), (ws("file", "run"), "[file_exists]"),
                             ("/proc/run", "[write_failed]")):
            out = run("dfine_ddp", "--config", CONFIG, *data, "--set", f"run.dir={folder}",
                      expect=1)
            says(out, str(folder), code, "run.dir")
            assert "pre-flight" not in out and "memory check" not in out, out
        out = run("dfine_ddp", "--config", CONFIG, *data, "--set", "data.batch_size=1",
                  "--set", f"run.dir={ws('file')}", ranks=2, expect=1)
        assert out.count("[file_exists]") == 1, out
        for folder, values in (("configs", ["[file_missing]", "state.pth"]),
                               (ws("file"), ["[format_invalid]", ws("file")])):
            says(run("dfine_ddp", "--config", CONFIG, *data,
                     "--resume", os.path.join(SOURCE, folder), expect=1), *values)
        says(run("dfine_ddp", "--config", CONFIG, *data, "--find-lr",
                 "--set", f"run.dir={ws('file')}", expect=1), ws("file"), "[file_exists]")
        assert not os.path.exists(ws("run")), ("a run folder was made although nothing could be "
                                               "trained")

        # under mpirun a mistake all ranks share is printed once
        out = run("dfine_ddp", "--config", CONFIG, *data, "--set", "data.batch_size=5", ranks=2,
                  expect=1)
        assert out.count("[dataset_too_small]") == 1, out

        # Of a run folder --resume names the checkpoints; one that does not fit is refused before
        # the trial step.
        short = [*data, "--set", "data.image_size=320", "--set", "train.max_steps=1",
                 "--set", "run.threads=1", "--set", "model.num_denoising=0"]
        out = run("dfine_ddp", "--config", CONFIG, *short, "--set", "train.preflight=false")
        assert [r["reason"] for r in events(ws("run"), "ended")] == ["complete"], out
        last, best = (ws("run", "checkpoints", name) for name in ("last", "best"))
        for folder in (ws("run"), ws("run", "checkpoints")):
            says(run("dfine_ddp", "--config", CONFIG, *short, "--resume", folder, expect=1),
                 "[format_invalid]", f"give {last} or {best}")
        says(run("dfine_ddp", "--config", CONFIG, *short, "--resume",
                 os.path.join(last, "state.pth"), expect=1), "[format_invalid]", f"give {last}")
        for key, saved in (("data.image_size=352", ": 320x320 "),
                           ("model.size=s", "model.size: n ")):
            out = run("dfine_ddp", "--config", CONFIG, *short, "--set", key, "--resume", last,
                      expect=1)
            says(out, "[checkpoint_mismatch]", saved)
            assert "pre-flight" not in out and "memory check" not in out, out

        # a damaged record is named, and stops the job
        shutil.copytree(ws("train"), ws("damaged"))
        shard = ws("damaged", "shard-00000.h5")
        with open(os.path.join(BCCD, "images",
                               json.load(open(ws("train.json")))["images"][2]["file_name"]),
                  "rb") as f:
            needle = f.read()[5000:5100]
        with open(shard, "r+b") as f:
            content = f.read()
            f.seek(content.index(needle) + 50)
            f.write(bytes([content[content.index(needle) + 50] ^ 1]))
        out = run("dfine_ddp", "--config", CONFIG, *data, "--set", f"data.train={ws('damaged')}",
                  "--set", "data.batch_size=1",
                  "--set", "data.image_size=320", "--set", "run.threads=1", ranks=2, expect=1)
        says(out, "shard-00000.h5", json.load(open(ws("train.json")))["images"][2]["file_name"],
             "rank", "[file_damaged]")
        with open(ws("run", "log.txt")) as f:
            says(f.read().split("training images")[-1], "shard-00000.h5", "failed: ")

        # prediction
        says(run("dfine-predict", "--weights", ws("nowhere"), "--images", BCCD, expect=1),
             "nowhere")
        Image.new("RGB", (3, 3)).save(ws("tiny.png"))
        says(run("dfine-predict", "--weights", ws("tiny.png"),
                 "--images", ws("tiny.png"), expect=1), "tiny.png")
    print("all passed")


if __name__ == "__main__":
    main()
