"""Labels of the machine's fonts: Pillow with libraqm writes the same text with the same font file.

Both let FreeType paint. Here Pango orders and joins the letters, there libraqm does. Pillow's
simple layout, which does neither, has to be further away.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PROBE = os.path.join(os.environ["DFINE_BINARY_DIR"], "label_probe")
FONTS = "/usr/share/fonts"
SIZE = 50  # pixels; capitals have 0.72 of it
# Text and font; whether letters join, change their order or run from right to left.
TEXTS = [("Thrombozyt 0.87", "truetype/noto/NotoSans-Regular.ttf", False),
         ("كريات الدم", "truetype/noto/NotoSansArabic-Regular.ttf", True),
         ("लाल रक्त कोशिका", "truetype/noto/NotoSansDevanagari-Regular.ttf", True),
         ("เม็ดเลือดแดง", "truetype/noto/NotoSansThai-Regular.ttf", False),
         ("红细胞", "opentype/noto/NotoSansCJK-Regular.ttc", False)]


def environment(folder, *fonts):
    """Fontconfig sees only these files, without hinting."""
    fonts_folder = os.path.join(folder, "fonts")
    shutil.rmtree(fonts_folder, ignore_errors=True)
    os.mkdir(fonts_folder)
    for font in fonts:
        os.symlink(font, os.path.join(fonts_folder, os.path.basename(font)))
    configuration = os.path.join(folder, "fonts.conf")
    with open(configuration, "w", encoding="utf-8") as file:
        file.write(f"<fontconfig><dir>{fonts_folder}</dir><cachedir>{folder}/cache</cachedir>"
                   '<match target="font"><edit name="hinting"><bool>false</bool></edit></match>'
                   "</fontconfig>")
    return {**os.environ, "FONTCONFIG_FILE": configuration}


def ours(folder, env, text, width=10000):
    out = os.path.join(folder, "label.png")
    result = subprocess.run([PROBE, "text", out, text, str(0.72 * SIZE), str(width)], env=env,
                            check=True, capture_output=True, text=True)
    with Image.open(out) as image:
        return np.asarray(image)[..., 0].astype(float), result


def pillows(text, font, layout):
    loaded = ImageFont.truetype(font, SIZE, layout_engine=layout)
    image = Image.new("L", (30 * SIZE, 4 * SIZE))
    ImageDraw.Draw(image).text((SIZE, SIZE), text, 255, font=loaded)
    return np.asarray(image).astype(float)


def ink(image):
    rows, columns = np.nonzero(image.max(1) > 8)[0], np.nonzero(image.max(0) > 8)[0]
    return image[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]


def likeness(a, b):
    """The best correlation of what is painted, shifted by up to 2 pixels each way."""
    a, b = ink(a), ink(b)
    shape = np.maximum(a.shape, b.shape) + 4
    best = 0
    for dy in range(5):
        for dx in range(5):
            p, q = np.zeros(shape), np.zeros(shape)
            p[2:2 + a.shape[0], 2:2 + a.shape[1]] = a
            q[dy:dy + b.shape[0], dx:dx + b.shape[1]] = b
            best = max(best, float((p * q).sum() / np.sqrt((p * p).sum() * (q * q).sum())))
    return best


def main():
    failed = False

    def check(holds, text):
        nonlocal failed
        print("ok  " if holds else "FAIL", text)
        failed |= not holds

    if not all(os.path.exists(os.path.join(FONTS, font)) for _, font, _ in TEXTS):
        print("skipped: the fonts of tests/packages.txt are missing")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for text, name, shaped in TEXTS:
            font = os.path.join(FONTS, name)
            label, result = ours(folder, environment(folder, font), text)
            expected = pillows(text, font, ImageFont.Layout.RAQM)
            simple = pillows(text, font, ImageFont.Layout.BASIC)
            like, unlike = likeness(label, expected), likeness(label, simple)
            check(like > 0.97, f"{name}: {like:.4f} like libraqm's, {unlike:.4f} like unshaped")
            check(not shaped or unlike < like - 0.1, f"{name}: shaped")
            check("Install" not in result.stderr, f"{name}: nothing is missing: {result.stderr}")

        latin, han = (os.path.join(FONTS, TEXTS[i][1]) for i in (0, 4))
        whole, _ = ours(folder, environment(folder, latin), "a long class name 0.87")
        short, _ = ours(folder, environment(folder, latin), "a long class name 0.87", 200)
        check(100 < short.shape[1] <= 200 < whole.shape[1], f"cut to {short.shape[1]} pixels")
        both, result = ours(folder, environment(folder, latin, han), "RBC 红细胞")
        check("Hani" not in result.stderr and both.any(), "two fonts in one label")
        boxes, result = ours(folder, environment(folder, latin), "红细胞")
        check(all(word in result.stderr for word in ("红", "Hani", "fonts-noto-cjk")) and
              boxes.any(), f"a missing script is reported: {result.stderr}")
        strokes, result = ours(folder, environment(folder), "RBC")
        check(result.stdout == "strokes\n" and strokes.any() and "fonts-noto" in result.stderr,
              "no fonts at all: strokes")
    return failed


if __name__ == "__main__":
    sys.exit(main())
