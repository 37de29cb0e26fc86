#include "predict/pipeline.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "core/error_context.h"
#include "core/printable.h"
#include "core/progress_line.h"
#include "core/stop_request.h"
#include "core/text.h"
#include "predict/read_ahead.h"

namespace dfine::inline predict {
namespace {

/// Pictures in order; the windows of several make a batch.
class Batches {
 public:
  Batches(Detector& detector, int64_t batch) : detector_(detector), batch_(batch) {}

  void add(PreparedPicture picture) {
    queued_ += static_cast<int64_t>(picture.windows.size());
    waiting_.push_back({std::move(picture), {}});
  }

  /// Detects in whole batches. `last`: no more pictures come, so the rest too.
  void detect(bool last) {
    while (queued_ >= batch_ || (last && queued_ > 0)) detect_batch();
  }

  struct Entry {
    PreparedPicture picture;
    std::vector<std::vector<ScoredBox>> found;  // of the first windows
    bool complete() const { return found.size() == picture.windows.size(); }
  };
  /// The oldest picture, if all its windows are done.
  std::optional<Entry> take() {
    if (waiting_.empty() || !waiting_.front().complete()) return std::nullopt;
    Entry oldest = std::move(waiting_.front());
    waiting_.pop_front();
    return oldest;
  }

 private:
  void detect_batch() {
    std::vector<Tensor> inputs;
    std::vector<ImageSize> sizes;
    std::vector<Entry*> owners;  // [windows of the batch]
    for (Entry& entry : waiting_) {
      const auto& windows = entry.picture.windows;
      const auto first = static_cast<int64_t>(entry.found.size()),
                 room = batch_ - static_cast<int64_t>(owners.size()),
                 count = std::min(room, static_cast<int64_t>(windows.size()) - first);
      if (room == 0) break;
      if (count == 0) continue;
      inputs.push_back(entry.picture.inputs.narrow(0, first, count));
      for (int64_t k = first; k < first + count; ++k) {
        sizes.push_back(
            {windows[static_cast<size_t>(k)].height, windows[static_cast<size_t>(k)].width});
        owners.push_back(&entry);
      }
    }
    const ErrorContext at("on ", [&] {
      return str_cat(printable(owners.front()->picture.picture.info.source),
                     inputs.size() > 1 ? str_cat(" and ", inputs.size() - 1, " more") : "");
    });
    auto found = detector_.detect(inputs.size() == 1 ? inputs.front() : at::cat(inputs), sizes);
    for (size_t k = 0; k < found.size(); ++k) owners[k]->found.push_back(std::move(found[k]));
    queued_ -= static_cast<int64_t>(found.size());
  }

  Detector& detector_;
  const int64_t batch_;
  std::deque<Entry> waiting_;
  int64_t queued_ = 0;  // windows that are not detected yet
};

}  // namespace

PipelineReport run_pipeline(PictureSource& source, Detector& detector, const MakePredictions& make,
                            OutputGroup& outputs, const PipelineOptions& options) {
  using Reader = ReadAhead<PreparedPicture>;
  Reader reader(
      [&]() -> std::optional<Reader::Job> {
        auto decode = source.next();
        if (!decode) return std::nullopt;
        return [decode = std::move(*decode), &options] {
          return prepare_picture(decode(), options.windows);
        };
      },
      options.threads, static_cast<size_t>(options.batch + 2 * options.threads));
  Batches batches(detector, options.batch);
  PipelineReport report;
  ProgressLine progress("processed");
  for (bool more = true; more && !report.stopped_by; report.stopped_by = more ? stop_signal() : 0) {
    auto next = reader.next();
    more = next.has_value();
    if (next) batches.add(std::move(*next));
    batches.detect(/*last=*/!more);
    while (auto done = batches.take()) {
      Picture& picture = done->picture.picture;
      progress.count(++report.pictures, source.size(), "image");
      if (!picture.problem.empty()) {
        report.unreadable.push_back({picture.info.source, picture.problem, picture.code});
        continue;
      }
      if (picture.oriented) ++report.oriented;
      std::vector<Prediction> found = make(done->picture, done->found);
      report.detections += static_cast<int64_t>(found.size());
      outputs.add(std::make_shared<PredictedPicture>(
          PredictedPicture{std::move(picture.info), std::move(picture.image), std::move(found)}));
    }
  }
  outputs.finish();
  return report;
}

}  // namespace dfine::inline predict
