"""Files that are damaged, cut off, or no video: an Error names them, or the rest is read."""
import os
import sys
import tempfile

from videos import Checks, Read, ffmpeg, make_clip


def main():
    check = Checks()
    with tempfile.TemporaryDirectory() as folder:
        def path(name, content=None):
            full = os.path.join(folder, name)
            if content is not None:
                with open(full, "wb") as file:
                    file.write(content)
            return full

        def refused(name, code):
            read = Read(path(name), folder)
            check(read.error == code and name in read.stderr, f"{name}: {read.error}")

        make_clip(path("index_last.mp4"))
        make_clip(path("index_first.mp4"), "-movflags", "+faststart")
        ffmpeg("-f", "lavfi", "-i", "sine=duration=1", path("sound.mp4"))
        with open(path("index_last.mp4"), "rb") as file:
            last = file.read()
        with open(path("index_first.mp4"), "rb") as file:
            first = file.read()
        path("cut_index.mp4", last[:len(last) // 2])
        path("text.mp4", b"This is no video.\n" * 40)
        path("empty.mp4", b"")
        refused("missing.mp4", "file_missing")
        refused("sound.mp4", "image_unsupported")
        for name in ("cut_index.mp4", "text.mp4", "empty.mp4"):
            refused(name, "image_damaged")

        cut = Read(path("cut.mp4", first[:len(first) * 2 // 3]), folder)
        check(cut.error is None and 5 < len(cut.frames) < 40 and cut.damage,
              f"cut.mp4: {len(cut.frames)} frames, {cut.damage[-1:]}")
        start = first.index(b"mdat") + 4
        middle = start + (len(first) - start) // 2
        hit = Read(path("hit.mp4", first[:middle] + b"\xff" * 200 + first[middle + 200:]), folder)
        check(hit.error is None and 30 <= len(hit.frames) <= 40 and hit.damage,
              f"hit.mp4: {len(hit.frames)} frames, {hit.damage}")
    return check.failed


if __name__ == "__main__":
    sys.exit(main())
