#pragma once
// The one error type. Lower layers throw it with values; each boundary adds its context (file,
// record, rank, step) and rethrows; main() prints the chain and the hint.
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace dfine {

class Error : public std::exception {
 public:
  /// `message` says what is wrong, with values; `hint` (may be empty) what the user can do about
  /// it.
  explicit Error(std::string message, std::string hint = {});

  /// Adds where it happened, outermost last: "while packing images/17.jpg".
  Error& add_context(std::string where);

  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const std::vector<std::string>& context() const { return context_; }

  /// Message, context lines and hint, ready to print (several lines).
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  void render();
  std::string message_, hint_, text_;
  std::vector<std::string> context_;
};

/// Wrong command line; programs end with exit code 2 instead of 1.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Runs `body`; an Error that leaves it gets `where()` as further context.
template <class Body, class Where>
decltype(auto) with_context(Body&& body, Where&& where) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& e) {
    e.add_context(where());
    throw;
  }
}

}  // namespace dfine
