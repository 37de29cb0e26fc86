#include "core/error.h"

namespace dfine {

Error::Error(std::string message, std::string hint)
    : message_(std::move(message)), hint_(std::move(hint)), context_(ErrorScope::texts()) {
  render();
}

Error& Error::add_context(std::string where) {
  context_.push_back(std::move(where));
  render();
  return *this;
}

void Error::add_scopes() {
  for (std::string& where : ErrorScope::texts()) add_context(std::move(where));
}

void Error::render() {
  text_ = message_;
  for (const auto& where : context_) text_ += "\n  " + where;
  if (!hint_.empty()) text_ += "\nhint: " + hint_;
}

}  // namespace dfine
