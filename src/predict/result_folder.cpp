#include "predict/result_folder.h"

#include <string_view>
#include <utility>

#include "core/printable.h"
#include "core/text.h"
#include "files/file_error.h"
#include "image/draw.h"
#include "image/encode.h"

namespace dfine::inline predict {
namespace fs = std::filesystem;
namespace {

void draw_predictions(Image& image, const std::vector<Prediction>& predictions) {
  std::vector<DrawnBox> boxes;
  for (auto p = predictions.rbegin(); p != predictions.rend(); ++p) {  // the best on top
    boxes.push_back({p->xyxy[0], p->xyxy[1], p->xyxy[2], p->xyxy[3],
                     static_cast<int>(p->class_index), str_cat(p->label, " ", fixed(p->score, 2))});
  }
  draw_boxes(image, boxes);
}

/// Removes the file, and the folders between it and `top` that it leaves empty.
void remove_below(const fs::path& top, const fs::path& file) {
  std::error_code failed;
  fs::remove(file, failed);
  for (fs::path p = file.parent_path(); p != top && fs::remove(p, failed); p = p.parent_path()) {
  }
}

}  // namespace

ResultFolder::ResultFolder(fs::path folder, std::vector<fs::path> pictures)
    : folder_(std::move(folder)), pictures_(std::move(pictures)), made_(folder_) {}

void ResultFolder::draw(size_t i, Image& image, const std::vector<Prediction>& predictions) {
  if (failure_) return;
  try {
    draw_predictions(image, predictions);
    const std::string extension = pictures_[i].extension().string();
    const auto bytes =
        extension == ".png" || extension == ".PNG" ? encode_png(image) : encode_jpeg(image);
    write_file_atomically(pictures_[i],
                          {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    drawn_.push_back(pictures_[i]);
  } catch (const Error& e) {
    failure_ = e;
  }
}

void ResultFolder::write(const std::vector<Prediction>& predictions) {
  while (true) {
    try {
      write_coco_results(predictions_file(), predictions);
      break;
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kDiskFull || drawn_.empty()) throw;
      if (!failure_) failure_ = e;
      remove_below(folder_, drawn_.back());
      drawn_.pop_back();
    }
  }
  made_.keep();
}

std::optional<Error> ResultFolder::failure() const {
  if (!failure_) return std::nullopt;
  Error error = *failure_;
  error.add_context(str_cat(printable(predictions_file()), " is complete, but only ", drawn_.size(),
                            " of ", counted(static_cast<int64_t>(pictures_.size()), "picture"),
                            " could be kept"));
  return error;
}

}  // namespace dfine::inline predict
