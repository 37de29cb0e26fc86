#pragma once
// The work of dfine-predict.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/image_size.h"

namespace dfine::inline predict {

struct PredictOptions {
  std::string weights;
  std::vector<std::filesystem::path> images;  // files and folders, or a pack (input_choice.h)
  /// Minimum score; 0 keeps all of the best 300 query-class pairs. By default those that the
  /// weights' validation found best for each class (stored_thresholds.h), else 0.25.
  std::optional<double> threshold;
  std::filesystem::path output;  // empty: nothing is written
  /// Of "coco", "jsonl", "csv", "yolo", which need `output`, and "text", lines on stdout. Empty:
  /// coco and jsonl if there is an output, else text.
  std::vector<std::string> formats;
  bool pictures = true;  // are drawn, if there is an output
  std::string
      annotations;  // image ids by file name, category ids by class name; empty: 1, 2, ... in order
  bool exif = true;  // apply the EXIF orientation; never with `annotations`
  std::optional<ImageSize>
      image_size;                // network input; default: what preprocessor_config.json says
  std::optional<int64_t> batch;  // images in one pass of the network; default: 8 on a GPU, else 1
  std::vector<std::string> classes;  // names or labels; empty: all
  std::optional<int64_t> top_k;      // detections of an image at most
  std::optional<double> nms;      // suppression: IoU between 0 and 1 (boxes/nms.h); default: none
  std::optional<int64_t> tile;    // side of the tiles of large images, pixels; default: none
  std::optional<double> overlap;  // of tiles, as a part of the side, below 1; default: 0.2
  std::string device = "auto";
};

/// Writes pictures with their detections drawn to OUTPUT (drawn_pictures.h), and the detections of
/// all images in the other forms (outputs.h). Those of an image are in descending order of score.
/// Boxes are in the pixels of the picture as viewers show it, EXIF orientation applied, and cut to
/// its borders. Without `exif`, with `annotations` and of a pack they are in the pixels as stored,
/// which training sees too. Images that the annotations do not list are skipped.
///
/// When nothing passes the threshold, the highest score seen is printed and a threshold to try.
/// Files of the folders that are no images are listed on stderr. Images that cannot be read do not
/// affect the others. They are listed in an Error at the end, as is a picture that cannot be
/// written. What is wrong with the options, the files' names among them, is found before the model
/// is loaded. A stop signal ends the run early: what is complete is written, and Stopped is thrown.
void predict_images(const PredictOptions& options);

}  // namespace dfine::inline predict
