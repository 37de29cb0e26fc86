#include "program.h"

#include <exception>
#include <iostream>
#include <sstream>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "dist/failure_reporter.h"

namespace dfine {

int run_program(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
  try {
    app.parse(argc, argv);
    body();
    if (!std::cout.flush()) throw Error("the output could not be written: the disk is full, or it was closed");
    return 0;
  } catch (const CLI::ParseError& e) {
    std::ostringstream out, error;
    const int code = app.exit(e, out, error);
    std::cout << out.str();
    std::cerr << printable_lines(error.str());  // it may repeat arguments
    return code == 0 ? 0 : kExitUsage;
  } catch (...) {
    const FailureText failure = describe_failure(std::current_exception());
    std::cerr << printable_lines(cat(app.get_name(), ": ", failure.text, "\n"));
    return failure.exit_code;
  }
}

}  // namespace dfine
