#include "program.h"

#include "distributed/failure_reporter.h"
#include "plain_program.h"

namespace dfine {

int run_program(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
  return run_program_with(app, argc, argv, body, [](const std::exception_ptr& failure) {
    const FailureText described = describe_failure(failure);
    return ProgramFailure{.text = described.text, .exit_code = described.exit_code};
  });
}

}  // namespace dfine
