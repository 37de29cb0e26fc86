#include "plain_program.h"

#include <csignal>
#include <iostream>
#include <new>

#include "cli/command_line.h"
#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"

namespace dfine {
namespace {

ProgramFailure describe_plain(const std::exception_ptr& failure) {
  const auto other = [](ErrorCode code, const char* what) {
    return ProgramFailure{.text = with_code(what, code), .exit_code = kExitFailed};
  };
  try {
    std::rethrow_exception(failure);
  } catch (const Error& e) {
    return {.text = e.what(), .exit_code = e.exit_code()};
  } catch (const std::bad_alloc&) {
    return other(ErrorCode::kOutOfMemory, "out of memory");
  } catch (const std::exception& e) {
    return other(ErrorCode::kInternal, e.what());
  } catch (...) {
    return other(ErrorCode::kInternal, "an exception of unknown type");
  }
}

}  // namespace

int run_program_with(CLI::App& app, int argc, char** argv, const std::function<void()>& body,
                     const std::function<ProgramFailure(const std::exception_ptr&)>& describe) {
  // A limit on file sizes (ulimit -f) fails the write, with path and reason.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    parse_command_line(app, argc, argv);
    body();
    finish_output();
    return 0;
  } catch (const CLI::Success& e) {  // --help, --version
    return app.exit(e);
  } catch (...) {
    const ProgramFailure failure = describe(std::current_exception());
    std::cerr << printable_lines(str_cat(app.get_name(), ": ", failure.text, "\n"));
    return failure.exit_code;
  }
}

int run_plain_program(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
  return run_program_with(app, argc, argv, body, describe_plain);
}

}  // namespace dfine
