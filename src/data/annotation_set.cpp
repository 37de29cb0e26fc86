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

std::vector<std::string> messages_of(std::span<const CocoProblem> problems) {
  std::vector<std::string> messages;
  for (const CocoProblem& problem : problems) {
    if (messages.empty() || messages.back() != problem.message) messages.push_back(problem.message);
  }
  return messages;
}

void throw_problems(const std::string& subject, std::span<const CocoProblem> problems,
                    std::string hint) {
  constexpr size_t kShown = 10;
  const std::vector<std::string> messages = messages_of(problems);
  std::string text = str_cat(subject, ": ", messages.front());
  for (size_t i = 1; i < std::min(messages.size(), kShown); ++i) text += "\n  also " + messages[i];
  if (messages.size() > kShown) text += str_cat("\n  and ", messages.size() - kShown, " more");
  throw Error(problems.front().code, text, std::move(hint));
}

}  // namespace dfine::inline data
