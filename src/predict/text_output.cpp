#include <iostream>

#include "core/printable.h"
#include "core/text.h"
#include "predict/outputs.h"

namespace dfine::inline predict {
namespace {

class TextOutput : public PredictionOutput {
 public:
  void add(const std::shared_ptr<const PredictedPicture>& picture) override {
    for (const Prediction& p : picture->found) {
      const auto& b = p.xyxy;
      std::cout << printable(picture->info.name) << "  " << printable(p.label) << "  "
                << fixed(p.score, 3) << "  " << fixed(b[0], 1) << " " << fixed(b[1], 1) << " "
                << fixed(b[2], 1) << " " << fixed(b[3], 1) << "\n";
    }
    std::cout << std::flush;  // it may go into a pipe
  }
  void finish() override {}
};

}  // namespace

std::unique_ptr<PredictionOutput> text_output() {
  return std::make_unique<TextOutput>();
}

}  // namespace dfine::inline predict
