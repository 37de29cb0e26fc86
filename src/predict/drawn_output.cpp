#include <atomic>
#include <deque>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "files/atomic_path.h"
#include "fonts/system_font.h"
#include "image/encode.h"
#include "predict/draw_predictions.h"
#include "predict/outputs.h"

namespace dfine::inline predict {
namespace fs = std::filesystem;
namespace {

void write_picture(const PredictedPicture& picture, const LabelFont* font) {
  Image image = picture.image;
  draw_predictions(image, picture.found, font);
  const std::string extension = picture.info.drawn.extension().string();
  const auto bytes =
      extension == ".png" || extension == ".PNG" ? encode_png(image) : encode_jpeg(image);
  write_file_atomically(picture.info.drawn,
                        {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

class DrawnOutput : public PredictionOutput {
 public:
  DrawnOutput(const fs::path& top, int threads)
      : top_((top / "picture").parent_path()),
        ahead_(2 * static_cast<size_t>(threads)),
        pool_(threads) {}

  void add(const std::shared_ptr<const PredictedPicture>& picture) override {
    if (picture->info.drawn.empty()) return;
    ++added_;
    if (failed_) return;
    while (pending_.size() >= ahead_) take_oldest();
    pending_.push_back({picture->info.drawn, pool_.submit([this, picture] {
                          if (failed_) return false;
                          write_picture(*picture, font_.get());
                          return true;
                        })});
  }

  void finish() override {
    take_all();
    if (!failure_) return;
    Error error = *failure_;
    error.add_context(str_cat("only ", drawn_.size(), " of ", counted(added_, "picture"),
                              " could be kept; all other results are complete"));
    throw error;
  }

  /// Waits for what is under way, which would take the room again.
  bool make_room() override {
    failed_ = true;
    take_all();
    if (drawn_.empty()) return false;
    if (!failure_)
      failure_ = Error(ErrorCode::kDiskFull,
                       str_cat("pictures had to make room for other results, the last one was ",
                               printable(drawn_.back())),
                       "free some space there or choose another place");
    std::error_code failed;
    fs::remove(drawn_.back(), failed);
    for (fs::path p = drawn_.back().parent_path(); p != top_ && fs::remove(p, failed);
         p = p.parent_path()) {
    }
    drawn_.pop_back();
    return true;
  }

 private:
  struct Pending {
    fs::path file;
    std::future<bool> written;
  };

  void take_oldest() {
    Pending oldest = std::move(pending_.front());
    pending_.pop_front();
    try {
      if (oldest.written.get()) drawn_.push_back(std::move(oldest.file));
    } catch (const Error& e) {
      failed_ = true;
      if (!failure_) failure_ = e;
    }
  }

  void take_all() {
    while (!pending_.empty()) take_oldest();
  }

  const fs::path top_;
  const size_t ahead_;
  const std::unique_ptr<LabelFont> font_ = system_font();
  std::atomic<bool> failed_ = false;  // nothing more is drawn
  std::optional<Error> failure_;      // the first one
  int64_t added_ = 0;
  std::vector<fs::path> drawn_;  // and still there
  std::deque<Pending> pending_;
  ThreadPool pool_;  // ends before what its jobs use
};

}  // namespace

std::unique_ptr<PredictionOutput> drawn_output(const fs::path& top, int threads) {
  return std::make_unique<DrawnOutput>(top, threads);
}

}  // namespace dfine::inline predict
