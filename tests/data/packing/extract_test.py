"""dfine-pack extract gives images and annotations back; packing them again gives the same bytes,
and pycocotools reads the same numbers.
"""
import contextlib
import io
import json
import os
import resource
import shutil
import signal

import h5py
from pycocotools.coco import COCO

from packing import BCCD, Case, crc32c, dfine_pack, run_checks


def contents(folder):
    """Without the report: it lists files beside the packed images, and extract() gives back only
    these.
    """
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "report.html"]
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def pack_again(case, *arguments):
    out = case.root / "out"
    dfine_pack("--images", out / "images", "--annotations", out / "annotations.json",
               "--output", case.root / "again", *arguments)
    assert contents(case.root / "again") == contents(case.output)


def check_shipped_images():
    with Case() as case:
        size = ["--shard-size", "500KiB"]
        dfine_pack("--images", BCCD / "images", "--annotations", BCCD / "train.json",
                   "--output", case.output, *size)
        out, _ = dfine_pack("extract", case.output, "--output", case.root / "out", "--jobs", "3")
        coco = json.loads((BCCD / "train.json").read_text())
        assert f"extracted {len(coco['images'])} images" in out and "dfine-pack" in out, out
        for image in coco["images"]:
            assert ((case.root / "out/images" / image["file_name"]).read_bytes()
                    == (BCCD / "images" / image["file_name"]).read_bytes())
        with contextlib.redirect_stdout(io.StringIO()):
            ours, theirs = COCO(case.root / "out/annotations.json"), COCO(BCCD / "train.json")
        for k in theirs.anns:
            keys = ("image_id", "category_id", "bbox", "area", "iscrowd")
            assert [ours.anns[k][key] for key in keys] == [theirs.anns[k][key] for key in keys]
        assert set(ours.anns) == set(theirs.anns)
        pack_again(case, *size)
        assert sorted(p.name for p in case.root.iterdir() if "partial" in p.name) == []


def check_odd_sets():
    """Crowds, dropped boxes among others, odd names and numbers, missing areas, no annotations, a
    split, images made smaller, an empty folder as output.
    """
    with Case() as case:
        case.coco["annotations"][0]["bbox"] = [0.1, 1e-7, 1 / 3, 33.00000000000001]
        case.coco["annotations"][0]["area"] = 1.7976931348623157e308
        case.coco["annotations"][4]["area"] = 5e-324
        case.coco["annotations"][5]["id"] = 2**62
        case.coco["categories"][2]["name"] = 'quotes " and \\ and \n, \u4e2d\u6587'
        case.pack()
        (case.root / "out").mkdir()
        dfine_pack("extract", case.output, "--output", case.root / "out")
        pack_again(case)
        del case.coco["annotations"][:]
        case.pack("--overwrite")
        shutil.rmtree(case.root / "out")
        dfine_pack("extract", case.output, "--output", case.root / "out")
        pack_again(case, "--overwrite")
    with Case() as case:
        case.pack("--max-side", "37")
        dfine_pack("extract", case.output, "--output", case.root / "out")
        pack_again(case)
    with Case() as case:
        case.coco["images"].append({**case.coco["images"][0], "id": 99})  # the same file twice
        case.pack()
        dfine_pack("extract", case.output, "--output", case.root / "out")
        pack_again(case)


def check_many_files():
    """Above a thousand, files are forced to disk all at once."""
    with Case() as case:
        image = case.coco["images"][0]
        case.coco["annotations"] = []
        case.coco["images"] = [{**image, "id": i, "file_name": f"{i}.jpg"} for i in range(1100)]
        for i in range(1100):
            os.link(case.images / "c.jpg", case.images / f"{i}.jpg")
        case.pack()
        dfine_pack("extract", case.output, "--output", case.root / "out")
        assert len(list((case.root / "out/images").iterdir())) == 1100
        pack_again(case)


def check_refusals_leave_nothing():
    with Case() as case:
        case.pack()
        (case.root / "out").mkdir()
        (case.root / "out/mine").write_text("mine")
        _, error = dfine_pack("extract", case.output, "--output", case.root / "out", expect=1)
        assert "exists" in error and (case.root / "out/mine").read_text() == "mine", error
        shutil.rmtree(case.root / "out")
        with h5py.File(case.output / "shard-00000.h5") as f:
            at = f["image/bytes"].id.get_offset() + int(f["image/offset"][1]) + 30
        data = bytearray((case.output / "shard-00000.h5").read_bytes())
        data[at] ^= 1
        (case.output / "shard-00000.h5").write_bytes(data)
        _, error = dfine_pack("extract", case.output, "--output", case.root / "out", expect=1)
        assert "record 1" in error and "sub/a.png" in error and "checksum" in error, error
        _, error = dfine_pack("extract", case.images, "--output", case.root / "out", expect=1)
        assert "[format_invalid]" in error and str(case.images) in error, error
        assert case.beside() == ["pack"], case.beside()
        dfine_pack("extract", case.output, expect=2)

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))

    with Case() as case:
        case.pack()
        _, error = dfine_pack("extract", case.output, "--output", case.root / "out", expect=1,
                              preexec_fn=limit)
        assert ("cannot write" in error and "File too large" in error
                and case.beside() == ["pack"]), error


def check_names_cannot_leave_the_folder():
    """A pack made by someone else: its checksums fit, but a name climbs out."""
    with Case() as case:
        case.coco["images"][1]["file_name"] = "sub/aaaaaaaaa.png"
        shutil.move(case.images / "sub/a.png", case.images / "sub/aaaaaaaaa.png")
        case.pack()
        shard = case.output / "shard-00000.h5"
        data = shard.read_bytes()
        assert data.count(b"sub/aaaaaaaaa.png") == 1
        data = data.replace(b"sub/aaaaaaaaa.png", b"../../outside.png")
        shard.write_bytes(data)
        manifest = json.loads((case.output / "manifest.json").read_text())
        entry = manifest["shards"][0]
        begin, size = entry["image_bytes_offset"], entry["image_bytes"]
        entry["index_crc32c"] = f"{crc32c(data[:begin] + data[begin + size:]):08x}"
        del manifest["crc32c"]
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        manifest["crc32c"] = f"{crc32c(text.encode()):08x}"
        (case.output / "manifest.json").write_text(json.dumps(manifest))
        dfine_pack("verify", case.output)
        _, error = dfine_pack("extract", case.output, "--output", case.root / "out", expect=1)
        assert "[record_invalid]" in error and "../../outside.png" in error, error
        assert case.beside() == ["pack"] and not os.path.exists(case.root.parent / "outside.png")


if __name__ == "__main__":
    run_checks(dict(globals()))
