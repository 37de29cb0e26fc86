#include "predict/predict_report.h"

#include <algorithm>
#include <cmath>
#include <iostream>

#include "core/error.h"
#include "core/log.h"
#include "core/printable.h"
#include "core/text.h"

namespace dfine::inline predict {

void report_nothing_found(double highest, double threshold) {
  // Rounded down, so that the highest score passes.
  const double digits = std::pow(10, std::ceil(-std::log10(std::max(highest, 1e-6))) + 1);
  std::cout << "nothing has a score of " << threshold << " or more; the highest is "
            << fixed(highest, 4) << ": --threshold " << std::floor(highest * digits) / digits
            << " would show detections\n";
}

void report_orientations(int64_t count, const std::string& stored_because) {
  if (count == 0) return;
  const std::string images = counted(count, "image");
  log::info(stored_because.empty()
                ? str_cat("EXIF orientation applied to ", images,
                          ": boxes are in the upright picture; --no-exif",
                          " keeps the stored pixels")
                : str_cat("EXIF orientation not applied to ", images, ": ", stored_because));
}

void report_skipped(const std::vector<FileNote>& skipped) {
  if (skipped.empty()) return;
  log::info(str_cat("skipped ", counted(static_cast<int64_t>(skipped.size()), "file"), ":\n",
                    group_by_reason(skipped)));
}

std::optional<Error> unreadable_error(const std::vector<FileNote>& unreadable, int64_t images) {
  if (unreadable.empty()) return std::nullopt;
  const auto count = static_cast<int64_t>(unreadable.size());
  std::string text = str_cat(count, " of ", counted(images, "image"), " could not be read");
  for (const FileNote& note : unreadable)
    text += str_cat("\n  ", printable(note.path), ": ", note.reason);
  return Error(unreadable.front().code, text,
               str_cat(count < images ? "all other images were processed; " : "",
                       "convert formats that cannot be read to JPEG or PNG"));
}

}  // namespace dfine::inline predict
