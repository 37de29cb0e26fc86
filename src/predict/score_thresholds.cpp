#include "predict/score_thresholds.h"

#include <algorithm>

#include "core/log.h"
#include "core/text.h"
#include "eval/stored_thresholds.h"

namespace dfine::inline predict {

std::vector<double> score_thresholds(std::optional<double> wanted, const std::string& weights,
                                     const std::vector<std::string>& class_names) {
  constexpr double kUsual = 0.25;
  if (wanted) return std::vector<double>(class_names.size(), *wanted);
  const auto stored = stored_thresholds(weights, class_names);
  if (!stored) {
    log::info(
        str_cat("--threshold ", kUsual, ": the weights come without thresholds of their own"));
    return std::vector<double>(class_names.size(), kUsual);
  }
  const auto [least, most] = std::ranges::minmax(stored->classes);
  log::info(str_cat("score thresholds of the weights' validation, best F1 of each class: ",
                    least == most ? str_cat(least) : str_cat(least, " to ", most),
                    " (all classes: ", stored->overall, "); --threshold sets one for all"));
  return stored->classes;
}

}  // namespace dfine::inline predict
