#pragma once
// What a scope is doing: every Error made in it takes this along (core/error.h).
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/text.h"

namespace dfine {

/// One entry of its thread's stack; made as an ErrorContext.
class ErrorScope {
 public:
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;

  /// The calling thread's scopes as text, innermost first.
  static std::vector<std::string> texts();

 protected:
  ErrorScope();
  ~ErrorScope();

 private:
  virtual std::string text() const = 0;
  const ErrorScope* outer_;
};

/// `const ErrorContext at("while reading ", path);`
///
/// The parts become text when an Error is made, as str_cat writes them; one that can be called is
/// called then. Variables are kept by reference, temporaries by value: nothing is allocated.
template <class... Parts>
class [[nodiscard]] ErrorContext final : public ErrorScope {
 public:
  explicit ErrorContext(Parts&&... parts) : parts_(std::forward<Parts>(parts)...) {}

 private:
  template <class Part>
  static decltype(auto) value(const Part& part) {
    if constexpr (std::is_invocable_v<const Part&>) {
      return part();
    } else {
      return (part);
    }
  }
  std::string text() const override {
    return std::apply([](const auto&... part) { return str_cat(value(part)...); }, parts_);
  }

  std::tuple<Parts...> parts_;
};

template <class... Parts>
ErrorContext(Parts&&...) -> ErrorContext<Parts...>;

}  // namespace dfine
