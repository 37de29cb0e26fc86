#include "data/annotation_set.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"

namespace dfine::inline data {

std::string describe(const CocoImage& image) {
  return str_cat("image ", image.id, " (\"", printable(image.file_name), "\")");
}

void throw_problems(const std::string& subject, std::span<const CocoProblem> problems,
                    std::string hint) {
  constexpr size_t kShown = 10;
  std::string text = str_cat(subject, ": ", problems.front().message);
  for (size_t i = 1; i < std::min(problems.size(), kShown); ++i)
    text += "\n  also " + problems[i].message;
  if (problems.size() > kShown) text += str_cat("\n  and ", problems.size() - kShown, " more");
  throw Error(problems.front().code, text, std::move(hint));
}

}  // namespace dfine::inline data
