"""Writes samples/: small files of each format and kind, by Pillow, for the tests that cut and
damage them. Only needed to add one.
"""
import os

from bmp_tiff import plain_tiff
from decode_test import adam7_png, picture
from PIL import Image

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "samples")
SIZE = (40, 28)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    colour = Image.fromarray(picture(*SIZE))
    alpha = Image.fromarray(picture(*SIZE, 4), "RGBA")
    colour.save(f"{FOLDER}/baseline.jpg", quality=80)
    colour.save(f"{FOLDER}/progressive.jpg", quality=80, progressive=True)
    colour.save(f"{FOLDER}/restarts.jpg", quality=80, restart_marker_blocks=2)
    colour.convert("L").save(f"{FOLDER}/grey.jpg", quality=80)
    Image.fromarray(picture(*SIZE, 4), "CMYK").save(f"{FOLDER}/cmyk.jpg", quality=80)
    colour.quantize(16).save(f"{FOLDER}/palette.png")
    alpha.save(f"{FOLDER}/alpha.png")
    Image.fromarray(picture(*SIZE, 1)[..., 0].astype("uint16") * 5).save(f"{FOLDER}/grey16.png")
    with open(f"{FOLDER}/interlaced.png", "wb") as f:
        f.write(adam7_png(picture(*SIZE)))
    colour.save(f"{FOLDER}/lossy.webp", quality=70)
    alpha.save(f"{FOLDER}/lossy_alpha.webp", quality=70)
    alpha.save(f"{FOLDER}/lossless_alpha.webp", lossless=True)
    colour.save(f"{FOLDER}/colour.bmp")
    colour.quantize(16).save(f"{FOLDER}/palette.bmp")
    colour.save(f"{FOLDER}/lzw.tif", compression="tiff_lzw")
    colour.save(f"{FOLDER}/jpeg.tif", compression="jpeg", quality=80)
    with open(f"{FOLDER}/tiles.tif", "wb") as f:
        f.write(plain_tiff(picture(*SIZE, 4), 2, tile=16, deflate=True, big_endian=True, extra=2))
    colour.save(f"{FOLDER}/animated.webp", save_all=True, append_images=[colour.rotate(180)])


if __name__ == "__main__":
    main()
