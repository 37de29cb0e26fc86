#pragma once
// Datasets as YOLO trainers take them: data.yaml with the class names, folders of images, and a
// text file of labels for each image.
//
// Ultralytics documents it (docs.ultralytics.com/datasets/detect, /datasets/segment). The labels of
// .../images/a/b.jpg stand in .../labels/a/b.txt ("images" being the last folder of that name).
// They stand beside the image where no folder is named so. Each line is `class x y w h`, with
// centre and size relative to the image. Or it is a polygon, `class x1 y1 x2 y2 x3 y3 ...`, of
// which the bounding box is taken. With `kpt_shape` in data.yaml it is `class x y w h` and key
// points, which are skipped. An image without such a file has no objects.
#include <filesystem>
#include <string>

#include "core/thread_pool.h"
#include "data/formats/annotations.h"

namespace dfine::inline formats {

/// Reads the images of `images`. Where that is empty, the entry `split` ("train", "val") of the
/// YAML file names them. Either is a folder, a list of folders, or a text file that lists images.
/// Category ids are the classes' numbers. Labels that are no numbers, beyond the classes, or not
/// within [0, 1] (by 0.01, for rounding) are problems of their image. Throws Error for a YAML file
/// without names, or without any label file.
Annotations read_yolo(const std::filesystem::path& yaml, const std::string& split,
                      const std::filesystem::path& images, ThreadPool& pool);

}  // namespace dfine::inline formats
