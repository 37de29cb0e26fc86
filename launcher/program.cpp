#include "program.h"

#include <exception>
#include <iostream>

#include "dist/failure_reporter.h"

namespace dfine {

int run_program(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
  try {
    app.parse(argc, argv);
    body();
    return 0;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kExitUsage;
  } catch (...) {
    const FailureText failure = describe_failure(std::current_exception());
    std::cerr << app.get_name() << ": " << failure.text << "\n";
    return failure.exit_code;
  }
}

}  // namespace dfine
