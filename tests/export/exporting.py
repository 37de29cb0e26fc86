"""What the tests of dfine-export share."""
import os
import sys

SOURCE = os.environ["DFINE_SOURCE_DIR"]
for folder in ("tools", "tests/e2e", "tests/model"):
    sys.path.insert(0, os.path.join(SOURCE, folder))
THREADS = 2


def shipped_images(count):
    """Paths of the first images of the shipped validation pack."""
    import json

    from common import BCCD
    with open(os.path.join(BCCD, "val.json")) as f:
        names = [i["file_name"] for i in json.load(f)["images"]]
    return [os.path.join(BCCD, "images", n) for n in names[:count]]
