#include "train/run/divergence.h"

#include <filesystem>

#include "core/text.h"

namespace dfine::inline run {

std::string divergence_hint(const RunFolder& folder, bool half_precision) {
  const std::filesystem::path last = folder.checkpoint("last"), best = folder.checkpoint("best");
  std::string hint = "lower optim.lr";
  if (half_precision) hint += ", or set run.precision = \"fp32\"";
  std::error_code failed;
  const bool has_last = std::filesystem::exists(last, failed);
  if (has_last) hint += str_cat("; ", last.string(), " is from before");
  if (std::filesystem::exists(best, failed)) {
    hint += str_cat(has_last ? ". If its weights have diverged too, start" : "; start",
                    " from the best ones: --resume none --set model.weights=", best.string());
  }
  return hint;
}

}  // namespace dfine::inline run
