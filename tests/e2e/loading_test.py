"""Data as a run gets it: previews, changing sizes, copies on the node's disk, damaged records that
all ranks skip in step.
"""
import glob
import math
import os
import shutil

from PIL import Image

from common import BCCD, SOURCE, Workspace, pack, records, run, subset


def damage(folder, file_name):
    """Changes one byte of an image's file in the pack's only shard."""
    with open(os.path.join(BCCD, "images", file_name), "rb") as f:
        needle = f.read()[5000:5100]
    with open(os.path.join(folder, "shard-00000.h5"), "r+b") as f:
        content = f.read()
        at = content.index(needle) + 50
        f.seek(at)
        f.write(bytes([content[at] ^ 1]))


def pictures(folder):
    files = sorted(glob.glob(os.path.join(folder, "preview", "*.jpg")))
    return {os.path.basename(f): open(f, "rb").read() for f in files}


def main():
    with Workspace() as ws:
        coco = subset("train", 20, ws("train.json"))
        pack(ws("train.json"), ws("train"))

        def settings(name, **more):
            keys = {"run.dir": ws(name), "run.device": "cpu", "run.threads": 1,
                    "data.train": ws("train"), "validate.every_epochs": 0,
                    "data.image_size": 256, "data.batch_size": 2, "data.workers": 2,
                    "data.augment": "dfine", "data.multiscale": "true",
                    "model.num_queries": 100, "train.max_steps": 8, "train.epochs": 2,
                    "ema.enabled": "false", **more}
            return ["--config", os.path.join(SOURCE, "configs", "n.toml"),
                    *(x for k, v in keys.items() for x in ("--set", f"{k}={v}"))]

        # The same pictures for one rank and for two at the same global batch, and no training.
        run("dfine_ddp", *settings("one", **{"data.batch_size": 4}), "--preview", 3)
        run("dfine_ddp", *settings("two"), "--preview", 3, ranks=2)
        one = pictures(ws("one"))
        assert list(one) == ["batch-00-00.jpg", "batch-01-00.jpg", "batch-02-00.jpg"], list(one)
        assert one == pictures(ws("two"))
        assert os.listdir(ws("one")) == ["preview"], os.listdir(ws("one"))
        for picture in one:  # two by two images of one of the sizes from 0.75 to 1.25 times 256
            size = Image.open(os.path.join(ws("one"), "preview", picture)).size
            assert size[0] == size[1] and size[0] // 2 in (192, 224, 256, 288, 320), size
        assert "--preview" in run("dfine_ddp", *settings("one"), "--preview", 0, expect=2)

        # Two damaged records, two ranks: both are skipped, once each, and the steps are all there.
        shutil.copytree(ws("train"), ws("damaged"))
        bad = [coco["images"][i]["file_name"] for i in (3, 11)]
        for name in bad:
            damage(ws("damaged"), name)
        cache = {"data.train": ws("damaged"), "data.cache_dir": ws("scratch")}
        out = run("dfine_ddp",
                  *settings("skipped", **cache, **{"data.on_corrupt": "skip", "data.max_corrupt": 2,
                                                   "data.preview": 1}), ranks=2)
        for name in bad:
            assert "skipping record" in out and name in out, out
        steps = records(ws("skipped"), "step")
        assert [r["step"] for r in steps] == list(range(1, 9)), steps
        assert all(r["images"] == 4 and math.isfinite(r["loss"]) and 0 <= r["data_wait_s"]
                   for r in steps), steps
        assert len(pictures(ws("skipped"))) == 1
        assert out.count("copying ") == 1, out
        copy = [d for d in os.listdir(ws("scratch")) if d.startswith("damaged-")]
        assert (len(copy) == 1 and sorted(os.listdir(ws("scratch", copy[0])))
                == ["manifest.json", "shard-00000.h5"]), copy

        # The limit counts over all ranks, and the copy is used again.
        out = run("dfine_ddp",
                  *settings("limit", **cache, **{"data.on_corrupt": "skip", "data.max_corrupt": 1}),
                  ranks=2, expect=1)
        assert ("data.max_corrupt = 1" in out and "[too_many_skipped]" in out
                and "copying " not in out), out
        out = run("dfine_ddp", *settings("error", **cache), ranks=2, expect=1)
        assert "[file_damaged]" in out and any(name in out for name in bad), out
    print("all passed")


if __name__ == "__main__":
    main()
