"""Frames, times and colours of VideoReader: ffmpeg's own, and the formulas of ITU-R BT.601/709."""
import os
import struct
import sys
import tempfile

import numpy as np
from videos import Checks, Read, decoded, difference, ffmpeg, ffprobe, frame_times, make_clip

# ITU-R BT.601-7 and BT.709-6: the weights of red and blue in luma.
LUMA = {"smpte170m": (0.299, 0.114), "bt709": (0.2126, 0.0722)}
# The turn and mirroring of tkhd (ISO/IEC 14496-12, 6.2.2) for each EXIF orientation: a, b, c, d.
TURNS = [(1, 0, 0, 1), (-1, 0, 0, 1), (-1, 0, 0, -1), (1, 0, 0, -1), (0, 1, 1, 0), (0, 1, -1, 0),
         (0, -1, -1, 0), (0, -1, 1, 0)]


def formula(yuv, matrix, full):
    """RGB of 8-bit Y'CbCr, rounded."""
    red, blue = LUMA[matrix]
    y, u, v = (yuv[..., c].astype(float) for c in range(3))
    y, u, v = (y / 255, (u - 128) / 255, (v - 128) / 255) if full else (
        (y - 16) / 219, (u - 128) / 224, (v - 128) / 224)
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    return np.clip(np.round(255 * np.stack([r, g, b], -1)), 0, 255).astype(int)


def check_colours(check, folder):
    """Plain squares, stored without loss."""
    rng = np.random.default_rng(7)
    squares = np.concatenate([rng.integers(16, 236, (8, 8, 1)), rng.integers(90, 166, (8, 8, 2))],
                             -1)
    yuv = squares.repeat(16, 0).repeat(16, 1).astype(np.uint8)
    planes = np.ascontiguousarray(np.moveaxis(yuv, -1, 0)).tobytes()
    for matrix, full in [("bt709", False), ("bt709", True), ("smpte170m", False),
                         ("smpte170m", True), (None, False)]:
        path = os.path.join(folder, "colour.mkv")
        tags = ["-color_range", "pc" if full else "tv"]
        if matrix:
            tags += ["-colorspace", matrix]
        ffmpeg("-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", "128x128", *tags, "-i", "-", "-c:v",
               "ffv1", *tags, path, data=planes)
        expected = formula(yuv, matrix or "smpte170m", full)
        off = difference(Read(path, folder).frames[0], expected)
        check(off <= 2, f"{matrix}, full range {full}: differs by up to {off}")


def check_frames(check, folder):
    for name, options in [
            ("h264.mp4", ["-c:v", "libx264", "-bf", 3]), ("mpeg4.mkv", ["-c:v", "mpeg4"]),
            ("vfr.mp4", ["-vf", "select=not(mod(n\\,3))+lt(n\\,9)", "-fps_mode", "vfr"]),
            ("mjpeg.avi", ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"]), ("raw.h264", ["-bf", 0])]:
        path = os.path.join(folder, name)
        make_clip(path, *options)
        read, expected = Read(path, folder), decoded(path, 96, 64)
        off = difference(read.frames, expected)
        check(off <= 1, f"{name}: {len(read.frames)} frames, up to {off} from ffmpeg's")
        check(not read.damage, f"{name}: nothing is damaged: {read.damage}")
        if name == "raw.h264":
            check(np.all(np.diff(read.times) > 0), f"{name}: times ascend")
            continue
        late = np.abs(read.times - frame_times(path)).max()
        check(late < 1e-4, f"{name}: times off by up to {late} s")
        rate = ffprobe(path, "stream=r_frame_rate")[0][0]
        if name != "vfr.mp4":
            check(rate == f"{read.rate[0]}/{read.rate[1]}",
                  f"{name}: {read.rate} frames a second, {rate}")
        check(abs(read.estimate - len(expected)) <= 1, f"{name}: estimate {read.estimate}")


def check_orientation(check, folder):
    stored = os.path.join(folder, "stored.mp4")
    # Whole colour resolution: ffmpeg turns before it converts to RGB, and chroma would shift.
    make_clip(stored, "-pix_fmt", "yuv444p", frames=3)
    with open(stored, "rb") as file:
        content = file.read()
    matrix = content.index(b"tkhd") + 44  # ISO/IEC 14496-12, 8.3.2, version 0
    for orientation, (a, b, c, d) in enumerate(TURNS, 1):
        turned = os.path.join(folder, "turned.mp4")
        values = struct.pack(">9i", *(v << 16 for v in (a, b)), 0, *(v << 16 for v in (c, d)), 0,
                             0, 0, 1 << 30)
        with open(turned, "wb") as file:
            file.write(content[:matrix] + values + content[matrix + len(values):])
        read = Read(turned, folder)
        size = (64, 96) if orientation >= 5 else (96, 64)
        off = difference(read.frames, decoded(turned, *size))
        check((read.width, read.height) == size and off <= 1,
              f"orientation {orientation}: up to {off} from ffmpeg's")


def main():
    check = Checks()
    with tempfile.TemporaryDirectory() as folder:
        check_colours(check, folder)
        check_frames(check, folder)
        check_orientation(check, folder)
    return check.failed


if __name__ == "__main__":
    sys.exit(main())
