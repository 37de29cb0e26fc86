#pragma once
// What dfine-predict leaves in --output: pictures with boxes, and predictions.json, which matters
// more.
#include <filesystem>
#include <optional>
#include <vector>

#include "core/error.h"
#include "files/atomic_path.h"
#include "image/image.h"
#include "predict/predict_files.h"

namespace dfine::inline predict {

class ResultFolder {
 public:
  /// `pictures`: a file for each image. Makes the folder, so that a place where nothing can be
  /// written shows at once; it is removed again if nothing is written into it. Throws Error.
  ResultFolder(std::filesystem::path folder, std::vector<std::filesystem::path> pictures);

  /// Draws the boxes into `image` and writes it as picture `i`. A failure (disk full, ...) is kept
  /// for failure(), and nothing more is drawn: the predictions are worth the rest of the run.
  void draw(size_t i, Image& image, const std::vector<Prediction>& predictions);

  /// Writes predictions.json. On a full disk pictures of this run are removed, the last one first,
  /// until there is room. Throws Error when it cannot be written all the same; an older file is
  /// left as it was.
  void write(const std::vector<Prediction>& predictions);

  std::filesystem::path predictions_file() const { return folder_ / "predictions.json"; }

  /// Why not all pictures are there: one could not be written, or had to make room. Call it after
  /// write().
  std::optional<Error> failure() const;

 private:
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> pictures_;
  MadeFolders made_;
  std::vector<std::filesystem::path> drawn_;  // and still there
  std::optional<Error> failure_;              // the first one
};

}  // namespace dfine::inline predict
