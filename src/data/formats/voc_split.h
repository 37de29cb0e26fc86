#pragma once
// Lists of images in ImageSets/Main of a dataset in VOC form.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/data_note.h"

namespace dfine::inline formats {

struct VocSplit {
  struct Image {
    std::string id;
    size_t line = 0;  // of the list
  };
  std::vector<Image> images;  // in order of the list
  DataNote absent;            // images that a list of one class marks with -1: they are skipped
};

/// Reads a list. Each line is an id. Where `exists` knows no such id, quotes around it are taken
/// off, and then a second word is a flag. The development kit's lists of single classes
/// ("aeroplane_train.txt") have such flags. 1: the class is in the image; 0: in difficult objects
/// alone; -1: it is not. Such a list selects the images that show its class. Throws Error when it
/// cannot be read, lists an id twice or selects no image.
VocSplit read_voc_split(const std::filesystem::path& list,
                        const std::function<bool(const std::string&)>& exists);

}  // namespace dfine::inline formats
