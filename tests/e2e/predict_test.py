"""dfine-predict beside the user's own files: nothing is overwritten, nothing is mixed up, and one
bad image costs no other its results.

Every file in a given folder is predicted or listed with a reason. EXIF orientation is Pillow's. A
full disk costs no predictions, and names are printed escaped.
"""
import json
import os
import shutil
import socket
import subprocess
import sys

from PIL import Image, ImageOps

from common import BCCD, BIN, SOURCE, Workspace, pack, run, says, subset


def content(path):
    with open(path, "rb") as f:
        return f.read()


def trained_weights(ws):
    """One step of D-FINE-N at 128: weights that find something in every image at threshold 0."""
    subset("train", 2, ws("train.json"))
    pack(ws("train.json"), ws("train"))
    keys = {"run.dir": ws("run"), "run.device": "cpu", "run.threads": 1, "data.train": ws("train"),
            "data.image_size": 128, "data.batch_size": 2,
            "data.workers": 0, "model.num_queries": 50, "train.epochs": 1,
            "validate.every_epochs": 0, "train.preflight": "false"}
    run("dfine_ddp", "--config", os.path.join(SOURCE, "configs", "n.toml"),
        *(x for k, v in keys.items() for x in ("--set", f"{k}={v}")))
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
    paths = (os.path.join(d, name) for d, _, names in os.walk(folder) for name in names
             if name.lower().endswith((".jpg", ".png")))
    return {os.path.relpath(p, folder): Image.open(p).size for p in paths}


def images_are_kept(ws):
    """Where a drawn picture would replace an image nothing is touched, and this is said before the
    weights are looked at.
    """
    os.makedirs(ws("photos", "sub"))
    shutil.copy(ws("wide.jpg"), ws("photos", "sub", "a.jpg"))
    shutil.copy(ws("tall.jpg"), ws("photos", "b.webp"))
    before = content(ws("photos", "sub", "a.jpg"))
    missing = ["--weights", ws("nowhere"), "--images"]
    out = run("dfine-predict", *missing, ws("photos"), "--output", ws("photos"), expect=2)
    says(out, ws("photos", "sub", "a.jpg"), "[usage]", "--output")
    run("dfine-predict", *missing, ws("photos", "sub", "a.jpg"),
        "--output", ws("photos", "sub", "..", "sub"), expect=2)
    # The picture of one image would replace another one.
    shutil.copy(ws("wide.jpg"), ws("photos", "b.webp.jpg"))
    says(run("dfine-predict", *missing, ws("photos", "b.webp"), ws("photos", "b.webp.jpg"),
             "--output", ws("photos"), expect=2), "b.webp.jpg")
    os.remove(ws("photos", "b.webp.jpg"))
    assert (content(ws("photos", "sub", "a.jpg")) == before and sorted(os.listdir(ws("photos")))
            == ["b.webp", "sub"])


def names_are_told_apart(ws, weights):
    """Same names in two folders, a name that is another's picture, a file given twice, a link to a
    file elsewhere.
    """
    for folder in ("x/d1", "x/d2", "elsewhere"):
        os.makedirs(ws(folder))
    shutil.copy(ws("wide.jpg"), ws("x", "d1", "a.jpg"))
    shutil.copy(ws("tall.jpg"), ws("x", "d2", "a.jpg"))
    Image.new("RGB", (30, 20)).save(ws("x", "d1", "b.webp"))
    Image.new("RGB", (31, 20)).save(ws("x", "d1", "e.png"))
    Image.new("RGB", (50, 40)).save(ws("x", "d1", "b.webp.jpg"))
    shutil.copy(ws("tall.jpg"), ws("elsewhere", "c.jpg"))
    os.symlink(ws("elsewhere", "c.jpg"), ws("x", "d2", "link.jpg"))
    before = content(ws("elsewhere", "c.jpg"))
    inputs = ["--weights", weights, "--image-size", 128, "--threshold", 0,
              "--images", ws("x", "d1"), ws("x", "d2"), ws("x", "d1", "..", "d2", "a.jpg")]
    run("dfine-predict", *inputs, "--output", ws("out"))
    found = results(ws("out"))
    assert set(found) == {"d1/a.jpg", "d2/a.jpg", "b.webp", "b.webp.jpg", "e.png",
                          "link.jpg"}, found
    assert (sorted(min(ids) for ids, _ in found.values()) == [1, 2, 3, 4, 5, 6]
            and all(len(ids) == 1 for ids, _ in found.values())), found
    # each image once: 50 queries, 3 classes
    assert len({count for _, count in found.values()}) == 1, found
    wide, tall = Image.open(ws("wide.jpg")).size, Image.open(ws("tall.jpg")).size
    expected = {"d1/a.jpg": wide, "d2/a.jpg": tall, "b.webp.jpg.jpg": (30, 20),
                "b.webp.jpg": (50, 40), "e.png": (31, 20), "link.jpg": tall}
    with open(ws("out", "e.png"), "rb") as f:
        assert f.read(4) == b"\x89PNG"
    assert drawn(ws("out")) == expected, drawn(ws("out"))
    assert content(ws("elsewhere", "c.jpg")) == before

    # Image ids of an annotation file go by the same names. What it lacks is skipped and counted.
    coco = {"images": [{"id": 10 * i, "file_name": name, "width": w, "height": h}
                       for i, (name, (w, h)) in
                       enumerate({"d1/a.jpg": wide, "d2/a.jpg": tall, "b.webp": (30, 20),
                                  "b.webp.jpg": (50, 40), "e.png": (31, 20),
                                  "link.jpg": tall}.items(), 1)],
            "annotations": [], "categories": [{"id": i, "name": name} for i, name in enumerate(
                ("RBC", "WBC", "Platelets"), 1)]}
    with open(ws("names.json"), "w") as f:
        json.dump(coco, f)
    run("dfine-predict", *inputs, "--output", ws("out"), "--annotations", ws("names.json"))
    assert ({name: ids for name, (ids, _) in results(ws("out")).items()}
            == {i["file_name"]: {i["id"]} for i in coco["images"]})
    coco["images"][0]["file_name"] = "a.jpg"
    with open(ws("names.json"), "w") as f:
        json.dump(coco, f)
    says(run("dfine-predict", *inputs, "--output", ws("out"), "--annotations", ws("names.json")),
         "skipped 1 file", os.path.join("d1", "a.jpg"), "names.json", "on 5 images")
    assert "d1/a.jpg" not in results(ws("out"))
    nowhere = ["--weights", ws("nowhere"), *inputs[2:]]
    with open(ws("others.json"), "w") as f:
        json.dump({**coco, "images": coco["images"][:1]}, f)
    says(run("dfine-predict", *nowhere, "--annotations", ws("others.json"), expect=1),
         "others.json", "6 images", "[data_mismatch]")
    coco["images"][0].update(file_name="d1/a.jpg", id=2**63)  # one beyond 64 bits with sign
    with open(ws("names.json"), "w") as f:
        json.dump(coco, f)
    says(run("dfine-predict", *nowhere, "--annotations", ws("names.json"), expect=1),
         "id holds 9223372036854775808", "names.json", "[record_invalid]")


def others_results_are_kept(ws, weights):
    os.makedirs(ws("mixed"))
    shutil.copy(ws("wide.jpg"), ws("mixed", "a.jpg"))
    shutil.copy(ws("tall.jpg"), ws("mixed", "z.jpg"))
    with open(ws("mixed", "cut.jpg"), "wb") as f:
        f.write(content(ws("wide.jpg"))[:-2000])
    with open(ws("mixed", "empty.png"), "wb"):
        pass
    out = run("dfine-predict", "--weights", weights, "--image-size", 128, "--threshold", 0,
              "--images", ws("mixed"), "--output", ws("kept"), expect=1)
    says(out, ws("mixed", "cut.jpg"), ws("mixed", "empty.png"), "2 of 4 images", "[image_damaged]",
         "on 2 images")
    found = results(ws("kept"))
    assert {name: ids for name, (ids, _) in found.items()} == {"a.jpg": {1}, "z.jpg": {4}}, found
    assert set(drawn(ws("kept"))) == {"a.jpg", "z.jpg"}
    out = run("dfine-predict", "--weights", weights, "--images", ws("mixed", "cut.jpg"),
              "--output", ws("none"), expect=1)
    says(out, "1 of 1 image", "[image_damaged]")
    assert results(ws("none")) == {} and "highest" not in out, out


def every_file_is_used_or_listed(ws, weights):
    """Images by content or by name; linked folders; everything else with its reason. Predicted
    twice, with and without bad images.
    """
    folder = ws("every")
    os.makedirs(os.path.join(folder, "sub"))
    os.makedirs(os.path.join(folder, ".thumbnails"))
    os.makedirs(ws("album"))
    at = lambda *parts: os.path.join(folder, *parts)
    shutil.copy(ws("wide.jpg"), at("a.JPG"))
    shutil.copy(ws("wide.jpg"), at("b.jfif"))
    shutil.copy(ws("wide.jpg"), at("no extension"))
    shutil.copy(ws("wide.jpg"), at("sub", "c.dat"))
    shutil.copy(ws("wide.jpg"), ws("album", "d.jpe"))
    os.symlink(ws("album"), at("link"))
    os.symlink("..", at("sub", "up"))
    shutil.copy(ws("wide.jpg"), at(".hidden.jpg"))
    shutil.copy(ws("wide.jpg"), at(".thumbnails", "e.jpg"))
    for name, text in (("labels.txt", "0 0.5 0.5 0.1 0.1\n"),
                       ("bmw.txt", "BMW, and other cars of this country\n")):
        with open(at(name), "w") as f:
            f.write(text)
    with open(at("clip.mp4"), "wb") as f:
        f.write(bytes.fromhex("00000018667479706d703432000000006d70343269736f6d") + b"0" * 100)
    os.symlink("nowhere", at("readme"))
    os.mkfifo(at("pipe"))
    options = ["--weights", weights, "--image-size", 128, "--threshold", 0]
    out = run("dfine-predict", *options, "--images", folder, "--output", ws("every-out"))
    good = {"a.JPG", "b.jfif", "no extension", "sub/c.dat", "link/d.jpe"}
    assert set(results(ws("every-out"))) == good, out
    assert set(drawn(ws("every-out"))) == {"a.JPG", "b.jfif.jpg", "no extension.jpg",
                                           "sub/c.dat.jpg", "link/d.jpe.jpg"}
    says(out, "on 5 images", "skipped 8 files:", "hidden: 2 files", at(".hidden.jpg"),
         at(".thumbnails", "e.jpg"),
         ": 1 file (" + at("sub", "up"), ": 1 file (" + at("readme"),
         "an MP4 or QuickTime video: 1 file (" + at("clip.mp4"), ": 1 file (" + at("pipe"),
         f"an image: 2 files ({at('bmw.txt')}, {at('labels.txt')})")

    # What looks like an image, by name or by content, and cannot be read is an error; each with its
    # reason.
    Image.new("RGB", (30, 20)).save(at("f.gif"))
    Image.new("RGB", (30, 20)).save(at("g"), "GIF")
    with open(at("h.png"), "w") as f:
        f.write("<html>not found</html>")
    os.symlink("nowhere", at("i.jpg"))
    sock = socket.socket(socket.AF_UNIX)
    os.chdir(folder)  # the path of a socket must be short
    sock.bind("j.jpg")
    os.chdir("/")
    out = run("dfine-predict", *options, "--images", folder, "--output", ws("every-out"), expect=1)
    says(out, "5 of 10 images", "[file_unreadable]", "on 5 images", "skipped 8 files",
         f"{at('f.gif')}: ", f"{at('g')}: ",
         "GIF", f"{at('h.png')}: ", "web page",
         f"{at('i.jpg')}: a link", f"{at('j.jpg')}: ")
    assert set(results(ws("every-out"))) == good
    # The same on the terminal alone: stdout has nothing but detections.
    lines = subprocess.run([os.path.join(BIN, "dfine-predict"), *map(str, options),
                            "--images", folder], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, text=True).stdout.splitlines()
    assert lines and {line.split("  ")[0] for line in lines} == good, lines[:3]
    # A folder without any image says what it holds.
    os.makedirs(ws("texts"))
    shutil.copy(at("labels.txt"), ws("texts"))
    says(run("dfine-predict", *options, "--images", ws("texts"), expect=1), "[dataset_too_small]",
         ws("texts"), "1 file", "labels.txt")


def boxes_of(folder):
    """predictions.json as {file name: [(category, box, score), ...]}."""
    found = {}
    with open(os.path.join(folder, "predictions.json")) as f:
        for p in json.load(f):
            found.setdefault(p["file_name"], []).append((p["category_id"], p["bbox"], p["score"]))
    return found


def exif_orientation_is_applied(ws, weights):
    """The predictions on a turned file are those on Pillow's ImageOps.exif_transpose of it, saved
    as PNG, which loses nothing.
    """
    for folder in ("turned", "upright", "stored"):
        os.makedirs(ws(folder))
    source = Image.open(ws("wide.jpg"))
    stored_sizes = {}
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for suffix, settings in (("jpg", {"quality": 95}), ("png", {}),
                                 ("webp", {"lossless": True})):
            name = f"{orientation}.{suffix}"
            source.save(ws("turned", name), exif=exif, **settings)
            with Image.open(ws("turned", name)) as image:
                assert image.getexif()[0x0112] == orientation
                ImageOps.exif_transpose(image).convert("RGB").save(ws("upright", f"{name}.png"))
                stored_sizes[name] = image.size
        with Image.open(ws("turned", f"{orientation}.jpg")) as image:
            image.convert("RGB").save(ws("stored", f"{orientation}.jpg.png"), exif=b"")
    options = ["--weights", weights, "--image-size", 128, "--threshold", 0]
    out = run("dfine-predict", *options, "--images", ws("turned"), "--output", ws("turned-out"))
    says(out, "EXIF orientation", " 21 images", "upright", "--no-exif")
    assert "EXIF" not in run("dfine-predict", *options, "--images", ws("upright"),
                             "--output", ws("upright-out"))
    turned, upright = boxes_of(ws("turned-out")), boxes_of(ws("upright-out"))
    assert len(turned) == 24
    for name, boxes in turned.items():
        assert boxes == upright[f"{name}.png"], name
    assert turned["1.png"] != turned["6.png"] and turned["1.png"] != turned["2.png"]
    pictures = drawn(ws("turned-out"))
    assert (pictures["5.jpg"] == pictures["6.png"] == pictures["8.webp.jpg"]
            == (120, 160)), pictures
    assert (pictures["1.jpg"] == pictures["3.png"] == pictures["4.webp.jpg"]
            == (160, 120)), pictures

    # Stored pixels: on request, and with --annotations.
    photos = [ws("turned", f"{orientation}.jpg") for orientation in range(1, 9)]
    run("dfine-predict", *options, "--images", ws("stored"), "--output", ws("stored-out"))
    stored = boxes_of(ws("stored-out"))
    with open(ws("turned.json"), "w") as f:
        json.dump({"images": [{"id": i, "file_name": name, "width": w, "height": h}
                              for i, (name, (w, h)) in enumerate(stored_sizes.items(), 1)],
                   "annotations": [],
                   "categories": [{"id": i, "name": n}
                                  for i, n in enumerate(("RBC", "WBC", "Platelets"), 1)]}, f)
    for arguments, needle in ((["--no-exif"], "--no-exif"),
                              (["--annotations", ws("turned.json")],
                               "with --annotations boxes are in stored pixels")):
        out = run("dfine-predict", *options, "--images", *photos, "--output", ws("kept-out"),
                  *arguments)
        says(out, "EXIF orientation not", " 7 images", needle)
        kept = boxes_of(ws("kept-out"))
        for orientation in range(1, 9):
            name = f"{orientation}.jpg"
            assert ([box for _, box, _ in kept[name]]
                    == [box for _, box, _ in stored[f"{name}.png"]]), (arguments, name)
        assert drawn(ws("kept-out"))["6.jpg"] == (160, 120)


def names_are_printed_escaped(ws, weights):
    """Names that are not UTF-8 or hold control characters never reach the terminal raw, and JSON
    stays JSON.
    """
    folder = os.fsencode(ws("names"))
    os.makedirs(folder)
    names = [b"gr\xfc\xdf.jpg", b"gr\xfb\xdf.jpg", b"red\x1b[31m.jpg", b"two\nlines.jpg",
             "Größe.jpg".encode()]
    for name in names:
        shutil.copy(ws("wide.jpg"), os.path.join(folder, name))
    for name in (b"bad\x9b\n.png", b"note\x07.txt"):
        with open(os.path.join(folder, name), "w") as f:
            f.write("no image")
    for arguments in ([], ["--output", ws("names-out"), "--format", "text", "coco"]):
        command = [os.path.join(BIN, "dfine-predict"), "--weights", weights, "--image-size", "128",
                   "--threshold", "0", "--images", folder, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 1, done.stdout
        out = done.stdout.decode()  # throws unless it is UTF-8
        assert not any((ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in out), out
        says(out, "gr\\xfc\\xdf.jpg", "gr\\xfb\\xdf.jpg", "red\\x1b[31m.jpg", "two\\nlines.jpg",
             "Größe.jpg", "bad\\x9b\\n.png: not a JPEG", "note\\x07.txt")
    # predictions.json: control characters as JSON has them, other bytes as \xNN, so that each name
    # is there once.
    assert set(results(ws("names-out"))) == {"gr\\xfc\\xdf.jpg", "gr\\xfb\\xdf.jpg",
                                             "red\x1b[31m.jpg", "two\nlines.jpg", "Größe.jpg"}
    assert set(os.listdir(os.fsencode(ws("names-out")))) == {*names, b"predictions.json"}


def mount_is_allowed():
    return subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


def a_full_disk_costs_no_predictions(ws, weights):
    """--output on a small file system of its own. Noise makes pictures of about 60 KB each."""
    if not mount_is_allowed():
        print("SKIPPED: a full disk: this process may not mount a file system", file=sys.stderr,
              flush=True)
        return
    os.makedirs(ws("noise", "sub"))
    for k in range(12):
        Image.effect_noise((256, 256),
                           90).convert("RGB").save(ws("noise", "sub" if k % 2 else "", f"{k}.png"))
    options = ["--weights", weights, "--image-size", "128", "--threshold", "0",
               "--format", "coco", "--images", ws("noise")]

    def predict(size, before="true"):
        """What dfine-predict prints, what is left on the file system of `size` afterwards, and
        predictions.json.
        """
        program = " ".join(map(str, [os.path.join(BIN, "dfine-predict"), *options,
                                     "--output", "/mnt/out"]))
        script = (f"mount -t tmpfs -o size={size} tmpfs /mnt && cd /mnt && {before} && {{ "
                  f"{program}; echo exit code $?; }} > {ws('said')} 2>&1;"
                  f" find . -mindepth 1 > {ws('remaining')}; cp out/predictions.json "
                  f"{ws('full.json')}")
        if os.path.exists(ws("full.json")):
            os.remove(ws("full.json"))
        subprocess.run(["unshare", "-m", "sh", "-c", script], stderr=subprocess.DEVNULL)
        with open(ws("said")) as said, open(ws("remaining")) as remaining:
            return said.read(), set(remaining.read().split())

    run("dfine-predict", *options, "--output", ws("roomy"))
    wanted = content(ws("roomy", "predictions.json"))
    pictures = [os.path.getsize(ws("roomy", name)) for name in drawn(ws("roomy"))]
    assert len(pictures) == 12 and min(pictures) > 20_000, pictures

    # Room for some pictures and the predictions.
    out, remaining = predict((sum(pictures) // 2 + len(wanted)) // 4096 * 4096)
    says(out, "[disk_full]", "/mnt/out/", "hint: ", "of 12 pictures", "exit code 1", "on 12 images")
    assert content(ws("full.json")) == wanted
    assert (0 < len([p for p in remaining if p.endswith(".png")]) < 12
            and not any("partial" in p for p in remaining)), remaining
    # The pictures leave too little room for the predictions: some make room.
    out, remaining = predict((sum(pictures) + len(wanted) // 2) // 4096 * 4096)
    says(out, "[disk_full]", "of 12 pictures", "exit code 1", "on 12 images")
    assert (content(ws("full.json")) == wanted
            and not any("partial" in p for p in remaining)), remaining
    assert 0 < len([p for p in remaining if p.endswith(".png")]) < 12, remaining
    # No room for the predictions at all: nothing is left behind, and an older file stays.
    out, remaining = predict(len(wanted) // 2 // 4096 * 4096)
    says(out, "[disk_full]", "/mnt/out/predictions.json", "exit code 1")
    assert remaining == set(), remaining
    out, remaining = predict(len(wanted) // 2 // 4096 * 4096,
                             before="mkdir out && echo old > out/predictions.json")
    says(out, "/mnt/out/predictions.json", "[disk_full]", "exit code 1")
    assert (remaining == {"./out", "./out/predictions.json"} and content(ws("full.json"))
            == b"old\n"), remaining


def lost_output_is_an_error(ws, weights):
    with open("/dev/full", "w") as full:
        done = subprocess.run([os.path.join(BIN, "dfine-predict"), "--weights", weights,
                               "--image-size", "128", "--threshold", "0", "--images",
                               ws("wide.jpg")], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode == 1
            and ("[disk_full]" in done.stderr or "[write_failed]" in done.stderr)), done


def a_run_folder_names_its_checkpoints(ws, weights):
    for program in (["dfine-predict", "--images", ws("wide.jpg")],
                    ["dfine-eval", "--data", ws("train")]):
        out = run(program[0], "--weights", ws("run"), *program[1:], expect=1)
        says(out, ws("run"), "model.safetensors", "[file_missing]",
             f"give {ws('run', 'checkpoints', 'last')}")
    out = run("dfine_ddp", "--config", os.path.join(SOURCE, "configs", "n.toml"),
              "--set", f"run.dir={ws('other')}", "--set", f"data.train={ws('train')}",
              "--set", f"model.weights={ws('run')}", "--set", "validate.every_epochs=0",
              "--set", "run.device=cpu", "--set", "data.batch_size=2",
              "--set", "run.threads=1", expect=1)
    says(out, ws("run", "checkpoints", "last"))


def wrong_options(ws, weights):
    for wrong in ("nan", "-0.1", "1.5", "inf"):
        says(run("dfine-predict", "--weights", ws("nowhere"), "--images", ws("wide.jpg"),
                 "--threshold", wrong, expect=2), "--threshold", "0 to 1")
    for program in (["dfine-predict", "--images", ws("wide.jpg")],
                    ["dfine-eval", "--data", ws("train")]):
        says(run(program[0], "--weights", weights, *program[1:], "--image-size", 32_000_000,
                 expect=2), program[0], "--image-size", "4096", "[usage]")
    for output in (ws("wide.jpg"), ws("wide.jpg", "inside")):
        says(run("dfine-predict", "--weights", weights, "--images", ws("wide.jpg"),
                 "--output", output, expect=1), ws("wide.jpg"), "[file_exists]")
    shutil.copytree(weights, ws("negative"), ignore=shutil.ignore_patterns("manifest.json"))
    with open(ws("negative", "preprocessor_config.json"), "r+") as f:
        settings = json.load(f)
        settings["size"]["height"] = -32
        f.seek(0)
        f.truncate()
        json.dump(settings, f)
    out = run("dfine-predict", "--weights", ws("negative"), "--images", ws("wide.jpg"), expect=1)
    says(out, "preprocessor_config.json", "height = -32", "[weights_unsupported]")


def main():
    os.environ["OMP_NUM_THREADS"] = "1"  # many short runs, perhaps beside other tests
    with Workspace() as ws:
        weights = trained_weights(ws)
        picture = Image.open(os.path.join(
            BCCD, "images", os.listdir(os.path.join(BCCD, "images"))[0])).convert("RGB")
        picture.resize((160, 120)).save(ws("wide.jpg"))
        picture.resize((120, 160)).save(ws("tall.jpg"))
        images_are_kept(ws)
        names_are_told_apart(ws, weights)
        others_results_are_kept(ws, weights)
        every_file_is_used_or_listed(ws, weights)
        exif_orientation_is_applied(ws, weights)
        names_are_printed_escaped(ws, weights)
        a_full_disk_costs_no_predictions(ws, weights)
        lost_output_is_an_error(ws, weights)
        a_run_folder_names_its_checkpoints(ws, weights)
        wrong_options(ws, weights)
    print("all passed")


if __name__ == "__main__":
    main()
