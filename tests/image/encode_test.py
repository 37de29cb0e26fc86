"""Written files as Pillow opens them: PNG exactly, JPEG as Pillow's own encoder writes it with the
same quality and sampling.
"""
import io
import os
import subprocess
import sys
import tempfile

import numpy as np
from decode_test import picture, saved
from PIL import Image

from reference import difference


def main():
    probe = os.path.join(os.environ["DFINE_BINARY_DIR"], "image_probe")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for size in [(97, 61), (1, 1), (33, 16)]:
            source, png, jpeg = (os.path.join(folder, name)
                                 for name in ("source.png", "out.png", "out.jpg"))
            original = picture(*size)
            Image.fromarray(original).save(source)
            subprocess.run([probe, "png", source, png, "jpeg", source, jpeg], check=True)
            by_pillow = Image.open(io.BytesIO(saved(Image.fromarray(original), "JPEG",
                                                    quality=92, subsampling="4:4:4")))
            for name, path, expected in [("PNG", png, original),
                                         ("JPEG", jpeg, np.asarray(by_pillow))]:
                with Image.open(path) as image:
                    most, share = difference(np.asarray(image), expected)
                    print(f"{name} {size}: {image.mode}, differs by up to {most} on {share:.3%} "
                          f"of values")
                    failed |= most > 0 or image.mode != "RGB" or image.format != name
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
