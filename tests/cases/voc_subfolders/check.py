import shutil

import h5py


def check(case):
    def packed(*arguments):
        case.run("dfine-pack", "--format", "voc", "--annotations", ".", "--output", "out",
                 *arguments)
        with h5py.File(case("out", "shard-00000.h5")) as shard:
            names = [name.decode() for name in shard["image/file_name"][()]]
            boxes = shard["box/xywh"][()].tolist()
        shutil.rmtree(case("out"))
        # xmin 5, xmax 24: pixel numbers from 1, both ends in the box
        assert boxes == [[4, 4, 20, 20]] * 2, boxes
        return names

    assert packed() == ["1.jpg", "cam1/0.jpg"]
    assert packed("--split", "default") == ["cam1/0.jpg", "1.jpg"], "in order of the list"
