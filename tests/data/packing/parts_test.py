"""dfine-pack --part: a pack made in parts, in any order and at once, is the pack made in one go,
byte for byte.
"""
import json
import random
import shutil
import subprocess
import time

from packing import BCCD, BIN, Case, dfine_pack, run_checks, small_coco

SHIPPED = ["--images", BCCD / "images", "--annotations", BCCD / "val.json"]


def contents(folder):
    """Every file below the folder with its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*"))
            if p.is_file()}


def names(case):
    return sorted(p.name for p in case.root.iterdir()
                  if p.name not in ("images", "annotations.json"))


def pack_parts(case, order, count, *arguments, expect=0):
    outputs = []
    for index in order:
        outputs.append(dfine_pack(*arguments, "--output", case.root / "parts",
                                  "--part", f"{index}/{count}", expect=expect)[0])
    return outputs


def check_parts_in_any_order_give_the_pack_of_one_go():
    """Also with more parts than shards, different threads, and a split."""
    for count, options in ((1, []), (3, []), (4, ["--val-fraction", "0.3"]), (40, []),
                           (2, ["--max-side", "320"])):
        with Case() as case:
            arguments = [*SHIPPED, "--shard-size", "300KiB", *options]
            dfine_pack(*arguments, "--output", case.root / "whole", "--jobs", "1")
            order = list(range(1, count + 1))
            random.Random(count).shuffle(order)
            outputs = pack_parts(case, order, count, *arguments, "--jobs", "2")
            assert all("complete when" in out for out in outputs[:-1])
            parts = "the only part" if count == 1 else f"all {count} parts"
            assert f"{parts} " in outputs[-1] and "complete" in outputs[-1], outputs[-1]
            assert (contents(case.root / "parts") == contents(case.root / "whole")
                    and len(contents(case.root / "whole")) > 5 - 3 * bool(options))
            assert names(case) == ["parts", "whole"], names(case)
            # The closing summary of the last part is that of the whole.
            whole, _ = dfine_pack(*arguments, "--output", case.root / "whole", "--overwrite")
            assert outputs[-1].splitlines()[1:-1] == whole.splitlines()[1:], (outputs[-1], whole)


def check_parts_that_finish_at_once():
    with Case() as case:
        arguments = [*SHIPPED, "--shard-size", "300KiB"]
        dfine_pack(*arguments, "--output", case.root / "whole")
        for _ in range(6):
            command = [BIN / "dfine-pack", *arguments, "--output", case.root / "parts",
                       "--jobs", "1", "--part"]
            runs = [subprocess.Popen([*command, f"{i}/4"], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True) for i in range(1, 5)]
            for run in runs:
                out, error = run.communicate(timeout=120)
                assert run.returncode == 0, (out, error)
            assert contents(case.root / "parts") == contents(case.root / "whole")
            assert names(case) == ["parts", "whole"], names(case)
            shutil.rmtree(case.root / "parts")


def check_completing_at_once():
    """All parts are there and four runs complete them at once: none harms the pack, whoever does
    what.
    """
    with Case() as case:
        arguments = [*SHIPPED, "--shard-size", "100KiB"]
        dfine_pack(*arguments, "--output", case.root / "whole")
        kept = case.root / "kept"
        for index in (1, 2, 3):  # each beside an output of its own, so that none completes the pack
            dfine_pack(*arguments, "--output", case.root / f"out{index}", "--part", f"{index}/3")
            shutil.copytree(case.root / f"out{index}.parts", kept, dirs_exist_ok=True)
            shutil.rmtree(case.root / f"out{index}.parts")
        for _ in range(8):
            shutil.copytree(kept, case.root / "parts.parts")
            command = [BIN / "dfine-pack", *arguments, "--output", case.root / "parts",
                       "--jobs", "1", "--part"]
            runs = [subprocess.Popen([*command, f"{i}/3"], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True) for i in (1, 2, 3, 1)]
            for run in runs:
                out, error = run.communicate(timeout=120)
                # one that began late finds the pack there
                assert run.returncode == 0 or "exists" in error, (out, error)
            assert contents(case.root / "parts") == contents(case.root / "whole")
            assert names(case) == ["kept", "parts", "whole"], names(case)
            shutil.rmtree(case.root / "parts")


def check_skipped_images_change_no_other_shard():
    def damaged():
        """The PNG file has a chunk whose checksum is wrong; sizes are as before."""
        case = Case()
        path = case.images / "sub/a.png"
        path.write_bytes(path.read_bytes()[:-20] + bytes([path.read_bytes()[-20] ^ 1])
                         + path.read_bytes()[-19:])
        return case

    for size in ("1", "1500"):
        with damaged() as case:
            annotations = case.write()
            arguments = ["--images", case.images, "--annotations", annotations,
                         "--shard-size", size, "--skip-bad"]
            dfine_pack(*arguments, "--output", case.root / "whole")
            pack_parts(case, [2, 1], 2, *arguments)
            assert contents(case.root / "parts") == contents(case.root / "whole")
            dfine_pack("verify", case.root / "parts")
    with damaged() as case:
        arguments = ["--images", case.images, "--annotations", case.write(), "--shard-size", "1"]
        failing = [i for i in (1, 2, 3, 4)
                   if subprocess.run([BIN / "dfine-pack", *map(str, arguments),
                                      "--output", case.root / "parts", "--part", f"{i}/4"],
                                     capture_output=True).returncode]
        assert len(failing) == 1, "only the part with the bad image fails"
        assert [p.name for p in case.root.joinpath("parts.parts").iterdir()
                if "partial" in p.name] == []
        # Repaired and repeated, it completes the pack.
        with Case() as sound:
            shutil.copy(sound.images / "sub/a.png", case.images / "sub/a.png")
        out = pack_parts(case, failing, 4, *arguments)[0]
        assert "is complete" in out and names(case) == ["parts"]
        dfine_pack("verify", case.root / "parts")


def check_interrupted_and_repeated():
    with Case() as case:
        arguments = [*SHIPPED, "--shard-size", "100KiB"]
        dfine_pack(*arguments, "--output", case.root / "whole")
        for number in (15, 9):
            run = subprocess.Popen([BIN / "dfine-pack", *arguments, "--output", case.root / "parts",
                                    "--part", "1/2"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
            while (not list(case.root.glob("parts.parts/.part-1-of-2.partial*/shard-*"))
                   and run.poll() is None):
                time.sleep(0.0005)
            run.send_signal(number)
            assert run.wait() in (-number, 0)
            assert number == 9 or not list(case.root.glob("parts.parts/.part-1-of-2.partial*"))
            shutil.rmtree(case.root / "parts.parts/part-1-of-2", ignore_errors=True)
        pack_parts(case, [1], 2, *arguments)
        out = pack_parts(case, [1], 2, *arguments)[0]
        assert "part 1 " in out and "part 2 of 2" in out, out
        pack_parts(case, [2], 2, *arguments)
        assert (contents(case.root / "parts") == contents(case.root / "whole")
                and names(case) == ["parts", "whole"])
        # A run that was killed while it completed the pack: any part makes it good.
        shutil.rmtree(case.root / "parts")
        pack_parts(case, [2], 2, *arguments)
        joined = case.root / "parts.parts/pack"
        joined.mkdir()
        shards = sorted(case.root.glob("parts.parts/part-2-of-2/shard-*"))
        for shard in shards[: len(shards) // 2]:
            shard.rename(joined / shard.name)
        pack_parts(case, [1], 2, *arguments)
        assert (contents(case.root / "parts") == contents(case.root / "whole")
                and names(case) == ["parts", "whole"])


def check_parts_of_different_input_are_refused():
    with Case() as case:
        annotations = case.write()
        arguments = ["--images", case.images, "--annotations", annotations, "--shard-size", "1"]
        dfine_pack(*arguments, "--output", case.root / "parts", "--part", "1/2")

        def refused(part, *more, text, expect=1):
            _, error = dfine_pack(*arguments, *more, "--output", case.root / "parts",
                                  "--part", part, expect=expect)
            assert text in error and "hint: " in error, error

        refused("1/3", text="[conflicting_settings]", expect=2)
        coco = small_coco()
        coco["annotations"][0]["bbox"][0] += 1
        annotations.write_text(json.dumps(coco))
        refused("1/2", text="[data_mismatch]")
        refused("2/2", text="[data_mismatch]")
        annotations.write_text(json.dumps(small_coco()))
        shutil.rmtree(case.root / "parts.parts/part-2-of-2")
        refused("1/2", "--max-side", "50", text="options [data_mismatch]")
        out, _ = dfine_pack(*arguments, "--output", case.root / "parts", "--part", "2/2")
        assert "is complete" in out
        refused("2/2", text="exists")


def check_wrong_usage():
    for part in ("0/2", "3/2", "1", "1/", "/2", "a/b", "1/2/3", "-1/2", "1/0"):
        dfine_pack("--images", "x", "--annotations", "y", "--output", "z", f"--part={part}",
                   expect=2)
    dfine_pack("--images", "x", "--annotations", "y", "--output", "z", "--part", "1/2",
               "--overwrite", expect=2)


if __name__ == "__main__":
    run_checks(dict(globals()))
