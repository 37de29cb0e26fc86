#pragma once
// Datasets in the form of the PASCAL VOC challenges: Annotations/ID.xml, JPEGImages/ID.jpg,
// ImageSets/Main/SPLIT.txt with the ids. A folder that holds images and XML files side by side, as
// labelling programs write it, will do as well. Sub-folders are read too: the id of
// Annotations/cam1/0.xml is cam1/0, as CVAT and Datumaro write it.
//
// Corners are pixel numbers from 1, and the last pixel belongs to the box. (VOC2012 development
// kit, "Annotation": "the top-left pixel in the image has coordinates (1,1)".) So x = xmin - 1 and
// w = xmax - xmin + 1, and a box over the whole image is exactly that. `difficult` and `truncated`
// objects are objects like others, as in D-FINE's own reader (src/data/dataset/voc_detection.py).
// Parts of objects are skipped.
#include <filesystem>
#include <string>

#include "core/thread_pool.h"
#include "data/formats/annotations.h"

namespace dfine::inline formats {

/// Reads the images that ImageSets/Main/`split`.txt names (see data/formats/voc_split.h), or all
/// where `split` is empty. `images`: folder of the images where it is another. Classes are the
/// lines of the file `classes`. Where `classes` is empty, they are the names in all XML files (of
/// other splits too) in alphabetical order. Ids count from 0. XML that is broken or lacks names or
/// corners, and names not listed in `classes`, are problems of their image. Files that are not used
/// are notes. Throws Error when there are no class names, with what is wrong with the XML files.
Annotations read_voc(const std::filesystem::path& folder, const std::string& split,
                     const std::filesystem::path& images, const std::filesystem::path& classes,
                     ThreadPool& pool);

}  // namespace dfine::inline formats
