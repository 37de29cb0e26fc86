"""dfine-pack's command line.

Every kind of bad input gives a clear error with file and record, exit code 1 and no trace of an
output. --skip-bad skips the images concerned and lists them. verify finds damage.
"""
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import time
import zlib

import h5py

from packing import BCCD, BIN, Case, dfine_pack, run_checks, small_coco


def expect_failure(*parts, prepare=lambda case: None, arguments=(), text=None, **options):
    with Case() as case:
        prepare(case)
        _, error = case.pack(*arguments, text=text, expect=1, **options)
        for part in parts:
            assert part in error, f"{part!r} is not in:\n{error}"
        assert "hint: " in error, error
        assert case.beside() == [], case.beside()
        return error


def expect_skipped(prepare, images, *parts):
    """--skip-bad skips exactly the named images, and packs what is left as if they had never been
    there.
    """
    with Case() as case:
        prepare(case)
        out, _ = case.pack("--skip-bad", "--shard-size", "2000")
        noun = "image" if len(images) == 1 else "images"
        assert f"skipped: {len(images)} {noun}\n" in out, out
        for part in parts:
            assert part in out.split("skipped: ")[1], f"{part!r} is not in:\n{out}"
        names = []
        for path in sorted(case.output.glob("shard-*.h5")):
            with h5py.File(path) as f:
                names += [name.decode() for name in f["image/file_name"][()]]
                assert f["image/size"][()].sum() == f["image/bytes"].size
        assert names == [i["file_name"] for i in case.coco["images"]
                         if i["file_name"] not in images], names
        dfine_pack("verify", case.output)
        assert case.beside() == ["pack"]


def both(prepare, images, *parts, code=None):
    expect_failure(*parts, *([f"[{code}]"] if code else []), prepare=prepare)
    expect_skipped(prepare, images, *parts)


def annotation(case, i, **values):
    case.coco["annotations"][i].update(values)


def cut(case, name, share):
    path = case.images / name
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def check_missing_image():
    both(lambda case: (case.images / "b.webp").unlink(), ["b.webp"], 'image 20 ("b.webp")',
         code="file_missing")
    both(lambda case: ((case.images / "b.webp").unlink(), (case.images / "b.webp").mkdir()),
         ["b.webp"], 'image 20 ("b.webp")', code="file_unreadable")


def check_truncated_images():
    for name in ("c.jpg", "sub/a.png", "b.webp"):
        for share in (0.9, 0.5, 0.02, 0):
            both(lambda case, name=name, share=share: cut(case, name, share), [name], f'("{name}")')


def jpeg_with_broken_scan(data):
    """A restart marker in the middle of the compressed data, where there is none: whole, going by
    its markers.
    """
    middle = (data.index(b"\xff\xda") + len(data)) // 2
    return data[:middle] + b"\xff\xd3" + data[middle:]


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with_image_data(width, height, data):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data)
            + png_chunk(b"IEND", b""))


def check_damage_that_decoding_alone_finds():
    """Without --decode such files are packed, as their structure is sound; with it they are bad
    images like others, for verify too.
    """
    jpeg = lambda change: lambda case: (case.images / "c.jpg").write_bytes(
        change((case.images / "c.jpg").read_bytes()))
    png = lambda data: lambda case: (case.images / "sub/a.png").write_bytes(
        png_with_image_data(33, 47, data))
    rows = bytes((1 + 3 * 33) * 47)
    for name, prepare in (
        ("c.jpg", jpeg(jpeg_with_broken_scan)),
        ("c.jpg", jpeg(lambda data: data[: len(data) * 9 // 10] + b"\xff\xd9")),
        ("sub/a.png", png(b"this is no zlib stream")),
        ("sub/a.png", png(zlib.compress(rows[: len(rows) // 2]))),
        ("sub/a.png", png(zlib.compress(rows)[:-6])),
    ):
        with Case() as case:
            prepare(case)
            _, error = case.pack("--decode", expect=1)
            assert f'("{name}")' in error and "--skip-bad" in error and case.beside() == [], error
            _, error = case.pack("--decode", "--part", "1/1", expect=1)
            assert f'("{name}")' in error, error
            case.pack("--jobs", "2")
            out, _ = dfine_pack("verify", case.output)
            assert "sound; checked 4 images" in out, out
            out, _ = dfine_pack("verify", case.output, "--decode", "--jobs", "2", expect=1)
            assert "1 thing" in out and f'("{name}", image id' in out, out
            out, _ = case.pack("--decode", "--skip-bad", "--overwrite")
            assert "skipped: 1 image\n" in out and f'("{name}")' in out, out
            out, _ = dfine_pack("verify", case.output, "--decode")
            assert "sound; checked 3 images" in out, out
    with Case() as case:  # what can be decoded is packed as ever
        case.pack()
        before = {p.name: p.read_bytes() for p in case.output.iterdir()}
        case.pack("--decode", "--overwrite")
        assert before == {p.name: p.read_bytes() for p in case.output.iterdir()}


def check_jpeg_kinds_that_training_cannot_read():
    """Refused by their headers, without --decode: lossless frames, and 12 bits (made of a baseline
    file: nothing here writes them).
    """

    def change(marker, bits):
        def prepare(case):
            data = bytearray((case.images / "c.jpg").read_bytes())
            at = data.index(b"\xff\xc0")
            data[at + 1], data[at + 4] = marker, bits
            (case.images / "c.jpg").write_bytes(data)

        return prepare

    both(change(0xC3, 8), ["c.jpg"], 'image 30 ("c.jpg")', "lossless")
    both(change(0xC1, 12), ["c.jpg"], 'image 30 ("c.jpg")', "12 bits", code="image_unsupported")


def check_two_bad_images_in_one_shard():
    def prepare(case):
        cut(case, "c.jpg", 0.5)
        cut(case, "b.webp", 0.5)

    expect_skipped(prepare, ["c.jpg", "b.webp"], '("c.jpg")', '("b.webp")')


def check_not_an_image():
    both(lambda case: (case.images / "c.jpg").write_text("hello " * 100), ["c.jpg"],
         'image 30 ("c.jpg")')


def check_broken_json():
    sound = json.dumps(small_coco())
    for text in ("", "{", sound[: len(sound) // 2], sound.replace('"bbox":', '"bbox"', 1),
                 sound + "}", sound[:-1] + ",}", "\x00", "[]"):
        expect_failure("annotations.json", text=text)
        expect_failure("annotations.json", text=text, arguments=["--skip-bad"])
    expect_failure("broken JSON", "line 1", text=sound.replace('"bbox":', '"bbox"', 1))
    expect_failure('"images" twice', text=sound[:-1] + ', "images": []}')
    expect_failure("[dataset_too_small]",
                   text=json.dumps({**small_coco(), "images": [], "annotations": []}))


def check_unknown_ids():
    both(lambda case: annotation(case, 0, category_id=4), ["sub/a.png"],
         'annotation 1000 of image 10 ("sub/a.png")', "unknown category_id 4")
    both(lambda case: annotation(case, 0, image_id=77), [], "annotation 1000",
         "unknown image_id 77")


def check_duplicate_ids():
    def image(case):
        case.coco["images"][3]["id"] = 20

    both(image, ["b.webp", "d\u00e9.jpg"], "image 20", code="record_invalid")
    both(
        lambda case: annotation(case, 1, id=1000),
        ["sub/a.png", "c.jpg"],
        "annotation 1000",
        code="record_invalid",
    )
    with Case() as case:  # said once, though two images cannot be used because of it
        annotation(case, 1, id=1000)
        _, error = case.pack(expect=1)
        assert error.count("annotation 1000 of image 10 ") == 1 and "also" not in error, error
        out, _ = case.pack("--skip-bad")
        assert out.count("annotation 1000 of image 10 ") == 1 and "skipped: 2 images" in out, out
    categories = small_coco()
    categories["categories"][0]["id"] = 3
    expect_failure("id 3", "[record_invalid]", text=json.dumps(categories))


def check_duplicate_keys():
    text = json.dumps(small_coco()).replace('"category_id": 90,',
                                            '"category_id": 90, "category_id": 3,', 1)
    expect_failure("annotation 1000", "category_id", "[record_invalid]", text=text)


def check_numbers_that_are_none():
    both(lambda case: annotation(case, 0, bbox=[1, float("nan"), 3, 4]), ["sub/a.png"],
         "annotation 1000 of image 10", "bbox holds NaN")
    both(lambda case: annotation(case, 0, bbox=[1, 2, float("inf"), 4]), ["sub/a.png"],
         "annotation 1000", "bbox holds Infinity")
    both(lambda case: annotation(case, 0, area=float("nan")), ["sub/a.png"], "annotation 1000",
         "area holds NaN")
    both(lambda case: annotation(case, 0, bbox=[1, "2", 3, 4]), ["sub/a.png"], "annotation 1000",
         "bbox", code="record_invalid")
    both(lambda case: annotation(case, 0, bbox=[1, 2, 3]), ["sub/a.png"], "annotation 1000",
         "3 numbers", code="record_invalid")
    both(lambda case: case.coco["annotations"][0].pop("bbox"), ["sub/a.png"], "annotation 1000",
         "bbox", code="record_invalid")


def check_other_size_than_the_json_says():
    def prepare(case):
        case.coco["images"][0]["width"] = 61

    both(prepare, ["c.jpg"], 'image 30 ("c.jpg")', "60x40", "61x40")


def check_file_names_that_leave_the_folder():
    def named(name):
        def prepare(case):
            shutil.copy(case.images / "c.jpg", case.root / "images" / "outside.jpg")
            case.coco["images"][0]["file_name"] = name

        return prepare

    for name in ("../annotations.json", "sub/../../annotations.json", "..", "/etc/passwd",
                 str(BCCD / "images/BloodImage_00000.jpg")):
        both(named(name), [name], "image 30", "file_name")
    for name in ("", ".", "sub/", "a\x00b"):
        expect_failure("image 30", "file_name", prepare=named(name))
    with Case() as case:  # climbing within the folder is no harm
        case.coco["images"][0]["file_name"] = "sub/../c.jpg"
        case.pack()


def check_many_problems_are_counted():
    coco = small_coco()
    for a in coco["annotations"]:
        a["category_id"] = 5
    coco["annotations"] += [{**coco["annotations"][0], "id": 5000 + i} for i in range(5)]
    error = expect_failure("annotation 1000", "also annotation 997", "and 5 more",
                           "--skip-bad", text=json.dumps(coco))
    assert error.count("unknown category_id") == 10


def check_nothing_usable_left():
    def prepare(case):
        for path in case.images.rglob("*.*"):
            path.unlink()

    expect_failure("[file_missing]", 'image 30 ("c.jpg")', "c.jpg ", prepare=prepare,
                   arguments=["--skip-bad"])


def check_missing_inputs():
    with Case() as case:
        path = case.write()
        for images, annotations, part in ((case.root / "none", path, "none"),
                                          (case.images, case.root / "none.json", "none.json")):
            _, error = dfine_pack("--images", images, "--annotations", annotations,
                                  "--output", case.output, expect=1)
            assert part in error and "hint: " in error, error
        dfine_pack("--images", case.images, "--annotations", case.root / "none.json",
                   "--output", case.root / "new" / "pack", expect=1)
        assert case.beside() == [] and not (case.root / "new").exists()


def check_output_in_new_folders():
    with Case() as case:
        output = case.root / "new" / "folders" / "pack"
        dfine_pack("--images", case.images, "--annotations", case.write(), "--output", output)
        dfine_pack("verify", output)


def check_existing_outputs():
    with Case() as case:
        case.output.mkdir()
        case.pack()  # an empty folder is no loss
        _, error = case.pack(expect=1)
        assert "exists" in error and "--overwrite" in error, error
        before = {p.name: p.read_bytes() for p in case.output.iterdir()}
        cut(case, "c.jpg", 0.5)
        case.pack("--overwrite", expect=1)
        assert before == {p.name: p.read_bytes()
                          for p in case.output.iterdir()}, "a failure leaves the old pack as it was"
        case.pack("--overwrite", "--skip-bad")
        assert before != {p.name: p.read_bytes() for p in case.output.iterdir()}
        (case.output / "notes.txt").write_text("mine")
        _, error = case.pack("--overwrite", "--skip-bad", expect=1)
        assert "notes.txt" in error, error
        (case.output / "notes.txt").unlink()
        (case.output / "manifest.json").unlink()
        _, error = case.pack("--overwrite", "--skip-bad", expect=1)
        assert "[file_exists]" in error and "pack" in error, error
        shutil.rmtree(case.output)
        case.output.write_text("a file")
        _, error = case.pack("--overwrite", "--skip-bad", expect=1)
        assert (
            "[file_exists]" in error
            and str(case.output) in error
            and case.output.read_text() == "a file"
        ), error
        case.output /= "inside"
        _, error = case.pack(expect=1)
        assert "[file_exists]" in error and str(case.output.parent) in error, error
        assert case.beside() == ["pack"]


def check_full_disk():
    """A limit on the size of a file makes write() fail as a full disk does (EFBIG for ENOSPC), in
    the middle of a shard.
    """

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    for arguments in ([], ["--part", "1/1"], ["--max-side", "30"], ["--max-side", "64"],
                      ["--val-fraction", "0.5"]):
        error = expect_failure("shard-0000", "File too large", preexec_fn=limit,
                               arguments=arguments)
        assert "hint: " in error, error


def check_unwritable_output():
    if os.geteuid() == 0:
        _, error = dfine_pack("--images", BCCD / "images", "--annotations", BCCD / "val.json",
                              "--output", "/proc/pack", expect=1)
    else:
        with Case() as case:
            case.root.chmod(0o500)
            _, error = case.pack(expect=1)
            case.root.chmod(0o700)
    assert "cannot create" in error and "hint: " in error, error


def many_images(case):
    """A dataset that takes a while."""
    case.coco["images"] = [{"id": i, "file_name": f"{i}.jpg", "width": 60, "height": 40}
                           for i in range(3000)]
    case.coco["annotations"] = []
    for image in case.coco["images"]:
        os.link(case.images / "c.jpg", case.images / image["file_name"])


def start(case, *arguments):
    """Runs dfine-pack in the background; returns once it is under way: a temporary folder is there.
    """
    run = subprocess.Popen([BIN / "dfine-pack", *map(str, arguments)], stderr=subprocess.PIPE,
                           stdout=subprocess.PIPE, text=True)
    while not any("partial" in path.name for path in case.root.rglob(".*")):
        assert run.poll() is None
        time.sleep(0.001)
    return run


def check_signals_leave_nothing():
    for number in (signal.SIGINT, signal.SIGTERM):
        with Case() as case:
            many_images(case)
            run = start(case, "--images", case.images, "--annotations", case.write(),
                        "--output", case.output, "--shard-size", "1KiB")
            run.send_signal(number)
            _, error = run.communicate(timeout=60)
            assert run.returncode == -number, (run.returncode, error)
            assert "interrupted" in error, error
            assert case.beside() == [], case.beside()


def check_outputs_that_appear_meanwhile():
    """What somebody else puts where the output will be, after the run has begun, stays."""
    with Case() as case:
        many_images(case)
        inputs = ["--images", case.images, "--annotations", case.write(), "--shard-size", "1MiB"]
        dfine_pack(*inputs, "--output", case.root / "sound")
        for command in (inputs, [*inputs, "--overwrite"], [*inputs, "--part", "1/1"],
                        ["extract", case.root / "sound"]):
            run = start(case, *command, "--output", case.output)
            run.send_signal(signal.SIGSTOP)
            case.output.mkdir()
            (case.output / "thesis.txt").write_text("mine")
            run.send_signal(signal.SIGCONT)
            out, error = run.communicate(timeout=60)
            assert (run.returncode == 1 and str(case.output) in error
                    and "hint: " in error), (out, error)
            assert ((case.output / "thesis.txt").read_text() == "mine"
                    and len(list(case.output.iterdir())) == 1)
            shutil.rmtree(case.output)
            if "--part" in command:  # the work is not lost
                assert case.beside() == ["pack.parts", "sound"]
                dfine_pack(*command, "--output", case.output)
                assert ((case.output / "manifest.json").read_bytes()
                        == (case.root / "sound" / "manifest.json").read_bytes())
                shutil.rmtree(case.output)
            assert case.beside() == ["sound"], case.beside()
        # The second of two runs for one output does not replace what the first has made.
        first = start(case, *inputs, "--output", case.output)
        first.send_signal(signal.SIGSTOP)
        case.pack()
        first.send_signal(signal.SIGCONT)
        _, error = first.communicate(timeout=60)
        assert first.returncode == 1 and "meanwhile" in error, error
        dfine_pack("verify", case.output)
        assert (json.loads((case.output / "manifest.json").read_text())["totals"]["images"] == 3000
                and len(list(case.output.glob("*.h5"))) == 1)
        # A link is neither replaced nor followed.
        (case.root / "empty").mkdir()
        (case.root / "link").symlink_to("empty")
        for command in (inputs, ["extract", case.root / "sound"]):
            _, error = dfine_pack(*command, "--output", case.root / "link", expect=1)
            assert ("symbolic link" in error and (case.root / "link").is_symlink()
                    and list((case.root / "empty").iterdir()) == [])


def check_wrong_usage():
    for arguments in (
        [],
        ["--images", "x"],
        ["--images", "x", "--annotations", "y", "--output", "z", "--jobs", "0"],
        ["--images", "x", "--annotations", "y", "--output", "z", "--jobs", "many"],
        ["--images", "x", "--annotations", "y", "--output", "z", "--shard-size", "0"],
        ["--images", "x", "--annotations", "y", "--output", "z", "--shard-size", "12 parsecs"],
        ["--images", "x", "--annotations", "y", "--output", "z", "--shard-size", "-5"],
        ["--no-such-option"],
        ["info"],
        ["verify"],
        ["unpack", "x"],
    ):
        _, error = dfine_pack(*arguments, expect=2)
        assert error
    out, _ = dfine_pack("--help")
    assert all(text in out for text in ("--images", "--annotations", "--output", "--shard-size",
                                        "--jobs", "--skip-bad", "info", "verify"))
    out, _ = dfine_pack("--version")
    assert out.startswith("dfine-pack ") and out.split()[1][0].isdigit()
    for command in ("info", "verify"):
        dfine_pack(command, "--help")
        _, error = dfine_pack(command, "/no/such/pack", expect=1)
        assert "/no/such/pack" in error and "hint: " in error, error


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def check_verify_finds_damage():
    with Case() as case:
        case.pack("--shard-size", "1")
        out, _ = dfine_pack("verify", case.output, "--jobs", "2")
        assert "sound" in out and "4 images in 4 shards" in out, out
        pack, sound = case.output, case.root / "sound"
        shutil.copytree(pack, sound)

        def damaged(*parts, commands=("verify", "info")):
            for command in commands:
                out, error = dfine_pack(command, pack, expect=1)
                for part in parts:
                    assert part in out + error, f"{part!r} is not in:\n{out}{error}"
            shutil.rmtree(pack)
            shutil.copytree(sound, pack)

        with h5py.File(pack / "shard-00001.h5") as f:
            bytes_at = f["image/bytes"].id.get_offset()
            places = {name: f[name].id.get_offset() for name in (
                "image/offset", "image/crc32c", "box/xywh", "box/cxcywh", "dropped/label")}
        flip(pack / "shard-00001.h5", bytes_at + 20)
        damaged("shard-00001.h5", "record 0", "sub/a.png", "checksum", commands=["verify"])
        for at in [0, 9, *places.values()]:
            flip(pack / "shard-00001.h5", at)
            damaged("shard-00001.h5", "checksum")
        # Two shards at once, and all images of the sound ones are still checked.
        flip(pack / "shard-00001.h5", bytes_at + 20)
        os.truncate(pack / "shard-00003.h5", 1000)
        damaged("shard-00001.h5", "shard-00003.h5", "cut short", "2 things are damaged",
                "3 images in 3 shards", commands=["verify"])
        (pack / "shard-00002.h5").unlink()
        damaged("shard-00002.h5", "missing")
        shutil.copy(pack / "shard-00000.h5", pack / "shard-00002.h5")
        damaged("shard-00002.h5")
        manifest = (pack / "manifest.json").read_text()
        (pack / "manifest.json").write_text(manifest.replace('"zebra"', '"horse"'))
        damaged("checksum", "edited")
        # as earlier versions wrote it
        without_checksum = manifest[: manifest.rindex(',\n  "crc32c"')] + "\n}\n"
        (pack / "manifest.json").write_text(without_checksum)
        dfine_pack("verify", pack)
        (pack / "manifest.json").write_text(without_checksum.replace('"zebra"', '"horse"'))
        damaged("categories", "edited")
        # A shard listed twice, missing, or at another place, with totals that agree.
        for checksum in (True, False):
            for order, message in (([0, 1, 1, 2, 3], "twice"), ([0, 1, 3], "checksum"),
                                   ([0, 2, 1, 3], "after a later shard"),
                                   ([0, 1, 2, 3, 0], "twice")):
                edited = json.loads(manifest)
                entries = edited["shards"]
                edited["shards"] = [entries[k] for k in order]
                edited["totals"] = {key: sum(shard[key] for shard in edited["shards"])
                                    for key in edited["totals"]}
                if not checksum:
                    del edited["crc32c"]
                    if message == "checksum":
                        (pack / "shard-00002.h5").unlink()  # so that nothing is left of it
                (pack / "manifest.json").write_text(json.dumps(edited))
                if checksum or message != "checksum":
                    damaged(message)
                else:  # is what --skip-bad gives when all images of a shard are bad
                    dfine_pack("verify", pack)
                    shutil.rmtree(pack)
                    shutil.copytree(sound, pack)
        (pack / "manifest.json").write_text(manifest[:-20])
        damaged("manifest.json", "damaged")
        (pack / "manifest.json").unlink()
        damaged("manifest.json", "format_invalid")


def check_names_are_printed_escaped():
    """Names of files and classes hold control characters and newlines; arguments hold bytes that
    are not UTF-8.
    """
    file_name, class_name = "red\x1b[31m\nline.jpg", "cat\x1b]0;title\x07\nnew \u202eline"
    shown_file, shown_class = "red\\x1b[31m\\nline.jpg", "cat\\x1b]0;title\\x07\\nnew \\u202eline"

    def clean(text):
        assert not any((ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c == "\u202e"
                       for c in text), repr(text)
        return text

    def rename(case):
        shutil.move(case.images / "c.jpg", case.images / file_name)
        case.coco["images"][0]["file_name"] = file_name
        case.coco["categories"][2]["name"] = class_name

    with Case() as case:
        rename(case)
        out, error = case.pack()
        assert f"  {shown_class} " in clean(out) and f"  {shown_file}, annotation " in out, out
        clean(error)
        out, _ = dfine_pack("info", case.output)
        assert f"  {shown_class} " in clean(out), out
        shard = case.output / "shard-00000.h5"
        data = bytearray(shard.read_bytes())
        with h5py.File(shard) as f:
            names = [name.decode() for name in f["image/file_name"][()]]
            at = f["image/bytes"].id.get_offset() + int(f["image/offset"][names.index(file_name)])
        data[at + 20] ^= 1
        shard.write_bytes(data)
        out, error = dfine_pack("verify", case.output, expect=1)
        assert f'("{shown_file}", image id 30)' in clean(out), out
    with Case() as case:
        rename(case)
        (case.images / file_name).unlink()
        _, error = case.pack(expect=1)
        assert f'image 30 ("{shown_file}")' in clean(error), error
    for arguments in (["info", b"gr\xfc\xdf\x1b"], [b"--gr\xfc\xdf\x1b"]):
        done = subprocess.run([str(BIN / "dfine-pack"), *arguments], capture_output=True)
        assert (done.returncode in (1, 2)
                and "gr\\xfc\\xdf\\x1b" in clean(done.stderr.decode())), done


def check_folders_that_are_no_packs():
    """Three different faults, three messages, in every command that opens a pack."""
    with Case() as case:
        path = case.write()
        (case.root / "file").write_text("x")
        case.pack("--part", "1/2", "--shard-size", "1")
        faults = [(case.root / "none", "file_missing", "{}", "relative"),
                  (case.root / "file", "format_invalid", "{}", "dfine-pack"),
                  (case.images, "format_invalid", "manifest.json", "dfine-pack"),
                  (case.output, "file_missing", "{}.parts", "parts")]
        for wrong, code, value, hint in faults:
            for command in (["info", wrong], ["verify", wrong],
                            ["extract", wrong, "--output", case.root / "o"],
                            ["--images", case.images, "--annotations", path,
                             "--output", case.root / "o", "--compare", wrong]):
                _, error = dfine_pack(*command, expect=1)
                message, _, rest = error.partition("hint: ")
                assert (f"{wrong} " in message and value.format(wrong) in message
                        and f"[{code}]" in message and hint in rest), error


def check_progress_on_a_terminal():
    """On a terminal the progress rewrites one line; what is left on it at the end is the whole."""
    with Case() as case:
        command = (f"{BIN}/dfine-pack --images {case.images} --annotations {case.write()} --output "
                   f"{case.output}")
        done = subprocess.run(["script", "-qec", command, "/dev/null"], capture_output=True)
        assert done.returncode == 0 and b"\r\x1b[Kpacked 4 of 4 images" in done.stdout, done.stdout
    with Case() as case:
        _, error = case.pack()
        assert error == "", error


if __name__ == "__main__":
    run_checks(dict(globals()))
