#include "core/error.h"

#include <algorithm>

namespace dfine {

Error::Error(ErrorCode code, std::string message, std::string hint)
    : code_(code),
      message_(std::move(message)),
      hint_(std::move(hint)),
      context_(ErrorScope::texts()) {
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
  text_ = with_code(message_, code_);
  for (const auto& where : context_) text_ += "\n  " + where;
  if (!hint_.empty()) text_ += "\nhint: " + hint_;
}

std::string with_code(std::string message, ErrorCode code) {
  size_t end = std::min(message.find('\n'), message.size());
  if (end > 0 && message[end - 1] == ':') --end;  // a list follows
  return message.insert(end, " [" + std::string(to_string(code)) + "]");
}

}  // namespace dfine
