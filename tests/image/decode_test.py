"""Decoding against Pillow's `Image.open(file).convert("RGB")`.

Decoded are every kind of JPEG, PNG, WebP, BMP and TIFF that Pillow writes, some made by hand, and
all images of the shipped dataset.
"""
import glob
import io
import os
import struct
import sys
import zlib

import numpy as np
from bmp_tiff import bmps, saved, tiffs
from PIL import Image

from reference import Probe, difference


def picture(width, height, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    smooth = np.stack([127 + 110 * np.sin(x / (11 + c) + c) * np.cos(y / 13 - c)
                       for c in range(channels)], -1)
    return np.clip(smooth + rng.normal(0, 12, smooth.shape), 0, 255).astype(np.uint8)


def jpegs():
    for size in [(97, 61), (64, 48), (1, 1), (8, 200), (2, 17)]:
        colour = Image.fromarray(picture(*size))
        for subsampling in ["4:4:4", "4:2:2", "4:2:0"]:
            for progressive in [False, True]:
                yield f"jpeg {size} {subsampling} {progressive}", saved(
                    colour, "JPEG", subsampling=subsampling, progressive=progressive)
        grey = Image.fromarray(picture(*size, 1)[..., 0])
        yield f"jpeg grey {size}", saved(grey, "JPEG")
        yield f"jpeg grey progressive {size}", saved(grey, "JPEG", progressive=True)
        cmyk = Image.fromarray(picture(*size, 4), "CMYK")
        yield f"jpeg cmyk {size}", saved(cmyk, "JPEG")
        yield f"jpeg cmyk progressive {size}", saved(cmyk, "JPEG", progressive=True, quality=95)
    colour = Image.fromarray(picture(97, 61))
    for quality in [1, 30, 100]:
        yield f"jpeg quality {quality}", saved(colour, "JPEG", quality=quality)
    yield "jpeg rgb", saved(colour, "JPEG", keep_rgb=True)
    yield "jpeg restarts", saved(colour, "JPEG", restart_marker_blocks=3)
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: rotated by 90 degrees
    yield "jpeg exif", saved(colour, "JPEG", exif=exif)
    yield "jpeg trailing zeros", saved(colour, "JPEG") + bytes(100)
    yield "jpeg with a preview behind", saved(colour,
                                              "JPEG") + saved(colour.resize((20, 10)), "JPEG")
    # Adobe's transform 2: the same bytes read as YCCK instead of CMYK.
    ycck = bytearray(saved(Image.fromarray(picture(97, 61, 4), "CMYK"), "JPEG"))
    adobe = ycck.find(b"Adobe")
    assert adobe > 0
    ycck[adobe + 11] = 2
    yield "jpeg ycck", bytes(ycck)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def hand_made_png(width, height, depth, colour_type, extra=b""):
    """Random samples; Pillow writes neither all depths nor tRNS for each."""
    rng = np.random.default_rng(width + depth * 7 + colour_type)
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    row_bytes = (width * channels * depth + 7) // 8
    rows = b"".join(b"\0" + rng.integers(0, 256, row_bytes, dtype=np.uint8).tobytes()
                    for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def adam7_png(array):
    """8-bit RGB, interlaced."""
    height, width = array.shape[:2]
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
              (0, 1, 1, 2)]
    rows = b""
    for x0, y0, dx, dy in passes:
        part = array[y0::dy, x0::dx]
        if part.size:
            rows += b"".join(b"\0" + row.tobytes() for row in part)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def pngs():
    for size in [(97, 61), (1, 1), (3, 40)]:
        colour = Image.fromarray(picture(*size))
        yield f"png {size}", saved(colour, "PNG")
        yield f"png rgba {size}", saved(Image.fromarray(picture(*size, 4), "RGBA"), "PNG")
        yield f"png grey {size}", saved(colour.convert("L"), "PNG")
        yield f"png grey alpha {size}", saved(Image.fromarray(picture(*size, 2), "LA"), "PNG")
        yield f"png one bit {size}", saved(colour.convert("1"), "PNG")
        yield f"png palette {size}", saved(colour.quantize(200), "PNG")
        yield f"png palette 5 {size}", saved(colour.quantize(5), "PNG")
        yield f"png palette transparency {size}", saved(colour.quantize(17), "PNG", transparency=3)
        yield f"png interlaced {size}", adam7_png(picture(*size))
    palette = chunk(b"PLTE",
                    np.random.default_rng(5).integers(0, 256, 768, dtype=np.uint8).tobytes())
    for width in [1, 5, 33]:
        for depth in [1, 2, 4, 8, 16]:
            yield f"png grey {depth} bit {width}", hand_made_png(width, 7, depth, 0)
            yield f"png grey {depth} bit tRNS {width}", hand_made_png(width, 7, depth, 0,
                                                                      chunk(b"tRNS", b"\0\1"))
            if depth <= 8:
                colours = palette if depth == 8 else chunk(b"PLTE", palette[8 : 8 + 3 * 2**depth])
                yield f"png palette {depth} bit {width}", hand_made_png(width, 7, depth, 3, colours)
                yield f"png palette {depth} bit tRNS {width}", hand_made_png(
                    width, 7, depth, 3, colours + chunk(b"tRNS", b"\0\x80"))
            if depth >= 8:
                for colour_type in [2, 4, 6]:
                    yield f"png type {colour_type} {depth} bit {width}", hand_made_png(
                        width, 7, depth, colour_type)
    gamma = chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"tEXt", b"Comment\0hello")
    yield "png gamma and text", hand_made_png(20, 7, 8, 2, gamma)
    yield "png tRNS rgb", hand_made_png(20, 7, 8, 2, chunk(b"tRNS", bytes(6)))


def webps():
    for size in [(97, 61), (1, 1), (64, 48)]:
        colour = Image.fromarray(picture(*size))
        alpha = Image.fromarray(picture(*size, 4), "RGBA")
        yield f"webp {size}", saved(colour, "WEBP", quality=70)
        yield f"webp lossless {size}", saved(colour, "WEBP", lossless=True)
        yield f"webp alpha {size}", saved(alpha, "WEBP", quality=70)
        yield f"webp alpha lossless {size}", saved(alpha, "WEBP", lossless=True, exact=True)
        yield f"webp grey {size}", saved(colour.convert("L"), "WEBP")
    exif = Image.Exif()
    exif[0x0112] = 6
    yield "webp exif", saved(Image.fromarray(picture(97, 61)), "WEBP", exif=exif)


def samples():
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                              "samples", "*"))):
        if os.path.basename(path) != "animated.webp":  # refused
            with open(path, "rb") as f:
                yield os.path.basename(path), f.read()


def shipped():
    pattern = os.path.join(os.environ["DFINE_SOURCE_DIR"], "tests", "data", "bccd", "images",
                           "*.jpg")
    for path in sorted(glob.glob(pattern))[::10]:
        with open(path, "rb") as f:
            yield os.path.basename(path), f.read()


def main():
    cases = [case for group in (jpegs, pngs, webps, samples, shipped) for case in group()]
    cases += [*bmps(picture), *tiffs(picture)]
    expected = [np.asarray(Image.open(io.BytesIO(content)).convert("RGB")) for _, content in cases]
    probe = Probe()
    for (_, content), image in zip(cases, expected):
        probe.add("decode", content, image.shape)
    failed = 0
    for (name, _), image, ours in zip(cases, expected, probe.run()):
        most, share = difference(ours, image)
        if most:
            print(f"{name}: differs by up to {most} on {share:.3%} of values")
            failed += 1
    print(f"{len(cases)} files, {failed} differ")
    return 1 if failed or len(cases) < 600 else 0


if __name__ == "__main__":
    sys.exit(main())
