#include "core/error_context.h"

namespace dfine {
namespace {

constinit thread_local const ErrorScope* innermost = nullptr;

}  // namespace

ErrorScope::ErrorScope() : outer_(std::exchange(innermost, this)) {}

ErrorScope::~ErrorScope() {
  innermost = outer_;
}

std::vector<std::string> ErrorScope::texts() {
  // An Error made while a part becomes text must not ask for that text again.
  struct Hidden {
    const ErrorScope* scope = std::exchange(innermost, nullptr);
    ~Hidden() { innermost = scope; }
  } const hidden;
  std::vector<std::string> texts;
  for (const ErrorScope* scope = hidden.scope; scope; scope = scope->outer_)
    texts.push_back(scope->text());
  return texts;
}

}  // namespace dfine
