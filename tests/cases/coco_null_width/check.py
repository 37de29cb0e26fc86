import h5py
from PIL import Image


def check(case):
    case.run("dfine-pack", "--images", case("images"), "--annotations", case("a.json"),
             "--output", case("out"))
    with h5py.File(case("out", "shard-00000.h5")) as shard:
        sizes = list(zip(shard["image/width"][()].tolist(),
                         shard["image/height"][()].tolist(), strict=True))
    assert sizes == [Image.open(case("images", name)).size for name in ("0.jpg", "1.jpg")], sizes
