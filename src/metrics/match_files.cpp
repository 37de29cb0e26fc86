#include "metrics/match_files.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline metrics {
namespace {

/// With '/' between folders, and without "./" in front.
std::string plain(std::string name) {
  std::replace(name.begin(), name.end(), '\\', '/');
  return name.starts_with("./") ? name.substr(2) : name;
}

std::string_view last_part(std::string_view name) {
  return name.substr(name.rfind('/') + 1);
}

/// Whether `longer` is `name` in some folder.
bool lies_in_folder(std::string_view longer, std::string_view name) {
  return longer.size() > name.size() && longer.ends_with(name) &&
         longer[longer.size() - name.size() - 1] == '/';
}

bool same_file(std::string_view a, std::string_view b) {
  return a == b || lies_in_folder(a, b) || lies_in_folder(b, a);
}

class FileMatcher {
 public:
  FileMatcher(const GroundTruth& truth, std::span<const NamedRecords> names,
              std::vector<Detection>& detections, std::string predictions, std::string annotations)
      : truth_(truth),
        names_(names),
        detections_(detections),
        predictions_(std::move(predictions)),
        annotations_(std::move(annotations)) {
    for (const std::string& name : truth.file_names) files_.push_back(plain(name));
  }

  std::string match() {
    std::unordered_map<int64_t, size_t> image_of_id;
    for (size_t i = 0; i < truth_.image_ids.size(); ++i)
      image_of_id.emplace(truth_.image_ids[i], i);
    for (const NamedRecords& records : names_) {
      const auto found = image_of_id.find(records.image_id);
      const bool known = found != image_of_id.end();
      if (records.file_name.empty() || (known && files_[found->second].empty())) continue;
      if (known && same_file(files_[found->second], plain(records.file_name))) continue;
      first_ = &records;
      image_of_first_ = known ? str_cat("image ", records.image_id, " is \"",
                                        truth_.file_names[found->second], "\"")
                              : str_cat("no image has the id ", records.image_id);
      return by_name();
    }
    return {};
  }

 private:
  std::string by_name() {
    std::unordered_map<std::string_view, std::vector<size_t>> by_last_part;
    for (size_t i = 0; i < files_.size(); ++i) by_last_part[last_part(files_[i])].push_back(i);
    std::unordered_map<size_t, int64_t> id_of_image;  // in the results file
    size_t moved = 0;
    for (size_t k = 0; k < names_.size(); ++k) {
      const NamedRecords& records = names_[k];
      if (records.file_name.empty()) refuse(str_cat("record ", records.first, " names no file"));
      const std::string name = plain(records.file_name);
      const auto candidates = by_last_part.find(last_part(name));
      const size_t image = candidates == by_last_part.end()
                               ? refuse_file(records, 0)
                               : only(candidates->second, name, records);
      const auto [place, is_new] = id_of_image.emplace(image, records.image_id);
      if (!is_new && place->second != records.image_id)
        refuse(str_cat("records of the image ids ", place->second, " and ", records.image_id,
                       " both name \"", records.file_name, "\""));
      const size_t end = k + 1 < names_.size() ? names_[k + 1].first : detections_.size();
      if (records.image_id != truth_.image_ids[image]) moved += end - records.first;
      for (size_t i = records.first; i < end; ++i)
        detections_[i].image_id = truth_.image_ids[image];
    }
    return str_cat("the image ids of ", predictions_, " are not those of ", annotations_,
                   ": images are matched by file name, and ", moved, " of ",
                   counted(static_cast<long long>(detections_.size()), "record"),
                   " go to another image id");
  }

  /// The image of `candidates` that `name` means: the one of that very name, or the only one that
  /// may be meant.
  size_t only(const std::vector<size_t>& candidates, std::string_view name,
              const NamedRecords& records) const {
    std::vector<size_t> equal, similar;
    for (const size_t i : candidates) {
      if (files_[i] == name) equal.push_back(i);
      if (same_file(files_[i], name)) similar.push_back(i);
    }
    const auto& meant = equal.empty() ? similar : equal;
    return meant.size() == 1 ? meant.front() : refuse_file(records, meant.size());
  }

  size_t refuse_file(const NamedRecords& records, size_t images) const {
    refuse(str_cat(
        images == 0 ? "no image" : counted(static_cast<long long>(images), "image", "images"),
        " there can be \"", records.file_name, "\" of record ", records.first));
  }

  [[noreturn]] void refuse(const std::string& reason) const {
    throw Error(
        ErrorCode::kDataMismatch,
        str_cat(predictions_, ": record ", first_->first, " (from 0) has image_id ",
                first_->image_id, " and file_name \"", first_->file_name, "\", but in ",
                annotations_, " ", image_of_first_,
                "; images cannot be matched by file name either: ", reason),
        "evaluate on the annotation file of the images that the detections were made on. Or give "
        "it to dfine-predict --annotations, which then writes its image ids");
  }

  const GroundTruth& truth_;
  std::span<const NamedRecords> names_;
  std::vector<Detection>& detections_;
  std::string predictions_, annotations_;
  std::vector<std::string> files_;       // plain(), by image
  const NamedRecords* first_ = nullptr;  // that do not agree
  std::string image_of_first_;
};

}  // namespace

std::string match_by_file_name(const GroundTruth& truth, std::span<const NamedRecords> names,
                               std::vector<Detection>& detections, const std::string& predictions,
                               const std::string& annotations) {
  if (names.empty() || truth.file_names.empty()) return {};
  return FileMatcher(truth, names, detections, predictions, annotations).match();
}

}  // namespace dfine::inline metrics
