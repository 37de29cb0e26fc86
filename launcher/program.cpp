#include "program.h"

#include <csignal>
#include <exception>
#include <iostream>

#include "cli/command_line.h"
#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "distributed/failure_reporter.h"

namespace dfine {

int run_program(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
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
    const FailureText failure = describe_failure(std::current_exception());
    std::cerr << printable_lines(str_cat(app.get_name(), ": ", failure.text, "\n"));
    return failure.exit_code;
  }
}

}  // namespace dfine
