#pragma once
// The one error type. Lower layers throw it with values. It also carries what the scopes around it
// are doing (core/error_context.h), such as file and record. main() prints the chain and the hint.
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "core/error_code.h"
#include "core/error_context.h"

namespace dfine {

class Error : public std::exception {
 public:
  /// `message` says what is wrong, with values; `hint` (may be empty) what the user can do about
  /// it.
  explicit Error(ErrorCode code, std::string message, std::string hint = {});

  /// Adds where it happened, outermost last: "in epoch 3, step 117".
  Error& add_context(std::string where);
  /// Adds the scopes of this thread, for an Error that another thread made.
  void add_scopes();

  ErrorCode code() const { return code_; }
  /// Of a program that ends with this error.
  virtual ExitCode exit_code() const { return dfine::exit_code(code_); }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const std::vector<std::string>& context() const { return context_; }

  /// Message with the code, context lines and hint, ready to print (several lines).
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  void render();
  ErrorCode code_;
  std::string message_, hint_, text_;
  std::vector<std::string> context_;
};

/// Wrong command line or configuration file; the exit code is 2 whatever the error's code, such as
/// file_missing.
class UsageError : public Error {
 public:
  using Error::Error;
  explicit UsageError(std::string message, std::string hint = {})
      : Error(ErrorCode::kUsage, std::move(message), std::move(hint)) {}
  ExitCode exit_code() const override { return kExitUsage; }
};

/// `message` with the code at the end of its first line: "data.train is not set [missing_key]".
std::string with_code(std::string message, ErrorCode code);

}  // namespace dfine
