#pragma once
// Datasets as YOLO trainers take them: data.yaml with the class names, folders of images, and a
// text file of labels for each image.
//
// As Ultralytics documents it (docs.ultralytics.com/datasets/detect, /datasets/segment): the labels
// of .../images/a/b.jpg stand in
// .../labels/a/b.txt ("images" being the last folder of that name), or beside the image where no
// folder is named so. Each line is `class x y w h`, centre and size relative to the image, or
// `class x1 y1 x2 y2 x3 y3 ...`, a polygon, of which the bounding box is taken; with `kpt_shape` in
// data.yaml, `class x y w h` and key points, which are skipped. An image without such a file
// has no objects.
#include <filesystem>
#include <string>

#include "core/thread_pool.h"
#include "data/formats/annotations.h"

namespace dfine::inline formats {

/// Reads the images of `images`, or where that is empty of the entry `split` ("train", "val") of
/// the YAML file: a folder, a list of folders, or a text file that lists images. Category ids are
/// the classes' numbers. Labels that are no numbers, beyond the classes, or not within [0, 1] (by
/// 0.01, for rounding) are problems of their image; a YAML file without names, or no label file at
/// all, is an Error.
Annotations read_yolo(const std::filesystem::path& yaml, const std::string& split,
                      const std::filesystem::path& images, ThreadPool& pool);

}  // namespace dfine::inline formats
