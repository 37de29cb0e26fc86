"""A checkpoint with a damaged file: `--resume auto` names the file and takes the checkpoint before;
a start from the damaged one itself is an error. With DFINE_LONG set more bytes are changed.

    damage_test.py [PART...]
"""
import os
import shutil

from checkpoint_files import checkpoints, damage, final, require_intact, require_same
from runs import LONG, run_parts, side_by_side, train

from common import run

FILES = ("config.json", "manifest.json", "metrics.json", "model.safetensors",
         "preprocessor_config.json", "state.pth")
NEWEST, BEFORE = "step-00000004-val", "step-00000003"


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    """A new file in the place of `path`, which other folders may share."""
    os.remove(path)
    with open(path, "wb") as f:
        f.write(data)


def flipped(data, position, bits=0x10):
    return data[:position] + bytes([data[position] ^ bits]) + data[position + 1:]


# Name, and what becomes of the content of a file.
KINDS = {
    "first byte changed": lambda data: flipped(data, 0),
    "middle byte changed": lambda data: flipped(data, len(data) // 2),
    "last byte changed": lambda data: flipped(data, len(data) - 1),
    "cut in the middle": lambda data: data[:len(data) // 2],
    "last byte missing": lambda data: data[:-1],
    "a byte appended": lambda data: data + b"\n",
    "empty": lambda _: b"",
}


def cases(whole):
    """(text, action on a checkpoint's folder and the one before, files of which one is named)."""
    found = []

    def change(text, name, content):
        def apply(folder, _):
            write(os.path.join(folder, name), content(read(os.path.join(folder, name))))
        found.append((f"{name}: {text}", apply, (name,)))

    for name in FILES:
        for text, content in KINDS.items():
            change(text, name, content)
        found.append((f"{name}: missing", lambda folder, _, name=name: os.remove(
            os.path.join(folder, name)), (name,)))
        # A manifest of another checkpoint finds wrong files.
        found.append((f"{name}: that of the checkpoint before",
                      lambda folder, before, name=name: write(
                          os.path.join(folder, name), read(os.path.join(before, name))),
                      (name,) if name != "manifest.json" else FILES))
    # Every byte of it counts, white space too, which does not change what JSON means.
    text = read(os.path.join(whole, "checkpoints", NEWEST, "manifest.json"))
    spaces = [i for i, byte in enumerate(text) if byte in b" \n"]
    positions = {*spaces[::len(spaces) // (40 if LONG else 3)],
                 *range(7, len(text), len(text) // (80 if LONG else 4))}
    for position in sorted(positions):
        change(f"byte {position} changed", "manifest.json",
               lambda data, at=position: flipped(data, at))
    for pair in (("config.json", "metrics.json"), ("model.safetensors", "state.pth")):
        def swap(folder, _, pair=pair):
            contents = [read(os.path.join(folder, name)) for name in pair]
            for name, content in zip(pair, reversed(contents)):
                write(os.path.join(folder, name), content)
        found.append((f"{' and '.join(pair)} swapped", swap, pair))
    return found


def copied(run_dir, to):
    """A copy of a run whose checkpoints share their files with it until these are replaced."""
    return shutil.copytree(run_dir, to, symlinks=True, copy_function=lambda a, b: (
        os.link if "step-" in a else shutil.copy2)(a, b))


def finished(ws):
    """A run of two epochs; it has the checkpoints of its last two steps."""
    folder = ws("finished")
    if not os.path.exists(folder):
        train(ws, folder, train__epochs=2)
        assert checkpoints(folder) == [BEFORE, NEWEST], checkpoints(folder)
    return folder


def every_damage(ws):
    whole = finished(ws)
    expected, some = final(whole), cases(whole)

    def check(number):
        text, apply, named = some[number]
        folder = copied(whole, ws(f"damaged-{number}"))
        damaged, before = (os.path.join(folder, "checkpoints", n) for n in (NEWEST, BEFORE))
        same = all(read(os.path.join(damaged, n)) == read(os.path.join(before, n)) for n in named)
        apply(damaged, before)
        if "checkpoint before" in text and same:
            assert not damage(damaged), damage(damaged)  # such as config.json
            shutil.rmtree(folder)
            return False
        assert damage(damaged), text  # or nothing was damaged
        if LONG or number % 4 == 0:
            done = train(ws, folder, "--resume", damaged, train__epochs=2, expect=(1,))
            require_named(done.text, named, text)
        done = train(ws, folder, "--resume", "auto", train__epochs=2)
        require_named(done.text, named, text)
        assert f"checkpoint {NEWEST} cannot" in done.text, (text, done.text)
        assert f"{BEFORE} after step 3" in done.text, (text, done.text)
        require_same(expected, final(folder), text)
        require_intact(folder)
        # Nothing of it is lost either: it may be worth a look.
        assert os.path.isdir(os.path.join(folder, "checkpoints", "set-aside-1", NEWEST)), text
        shutil.rmtree(folder)
        return True

    print(f"{sum(side_by_side(check, range(len(some))))} kinds of damage were named")


def require_named(output, files, what):
    says = [text for name in files
            for text in (f"{NEWEST}/{name}", f"lacks {name}", f"{name} is missing")]
    assert NEWEST in output and any(text in output for text in says), (
        f"{what}: none of {files} is named\n{output}")


def all_damaged(ws):
    """Nothing is left to continue from: that is an error, not a run from scratch."""
    folder = copied(finished(ws), ws("all"))
    for name in checkpoints(folder):
        path = os.path.join(folder, "checkpoints", name, "state.pth")
        write(path, read(path)[:-1])
    done = train(ws, folder, "--resume", "auto", train__epochs=2, expect=(1,))
    for part in (*checkpoints(folder), "[checkpoint_mismatch]", "--resume none"):
        assert part in done.text, (part, done.text)
    assert checkpoints(folder) == [BEFORE, NEWEST], checkpoints(folder)  # nothing was removed
    train(ws, folder, "--resume", "none", train__epochs=2)
    require_intact(folder)
    assert os.path.isdir(os.path.join(folder, "previous-1", "checkpoints", BEFORE))


def weights_of_a_damaged_checkpoint(ws):
    """Programs that read only the weights find what is wrong with the files that they read."""
    folder = os.path.join(copied(finished(ws), ws("weights")), "checkpoints", NEWEST)
    for name in ("model.safetensors", "config.json", "preprocessor_config.json"):
        path = os.path.join(folder, name)
        content = read(path)
        # One digit becomes another, one weight too: only a checksum finds that.
        at = len(content) // 2 if name == "model.safetensors" else content.rindex(b"6")
        write(path, flipped(content, at, bits=1))
        out = run("dfine-eval", "--weights", folder, "--data", ws("val"), "--threads", 1, expect=1)
        assert name in out and "[file_damaged]" in out, (name, out)
        done = train(ws, ws("from-weights"), model__weights=folder, train__epochs=1, expect=(1,))
        assert name in done.text and "[file_damaged]" in done.text, (name, done.text)
        write(path, content)
    run("dfine-eval", "--weights", folder, "--data", ws("val"), "--threads", 1)


if __name__ == "__main__":
    run_parts(all_damaged, weights_of_a_damaged_checkpoint, every_damage)
