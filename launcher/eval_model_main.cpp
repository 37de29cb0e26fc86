// dfine-eval-model: what dfine-eval becomes for a model. Alone, or on the ranks of mpirun.
#include <algorithm>

#include "cli/command_line.h"
#include "core/error.h"
#include "core/usable_cores.h"
#include "distributed/failure.h"
#include "distributed/mpi_session.h"
#include "eval/eval_pack.h"
#include "eval/image_size_option.h"
#include "eval/loaded_model.h"
#include "eval_options.h"
#include "hub/local_weights.h"
#include "memory/host_allocator.h"
#include "program.h"

namespace {

dfine::DeviceRequest device_request(const std::string& name) {
  if (name == "auto") return dfine::DeviceRequest::kAuto;
  if (name == "cpu") return dfine::DeviceRequest::kCpu;
  if (name == "cuda") return dfine::DeviceRequest::kCuda;
  throw dfine::UsageError("--device " + name + ": expected auto, cpu or cuda under mpirun",
                          "each rank takes the GPU with its local rank as index");
}

void evaluate(const dfine::EvalArguments& arguments, dfine::MpiSession& session) {
  if (arguments.weights.empty())
    throw dfine::UsageError("this program evaluates models alone", "call dfine-eval instead");
  dfine::log::set_console(arguments.console.options(/*info_to_stdout=*/false));
  dfine::PackEvalOptions options;
  options.image_size = dfine::parse_image_size(arguments.image_size);
  options.data = arguments.data;
  options.batch_size = arguments.batch_size;
  options.details = arguments.details;
  options.threads = arguments.threads;
  if (!arguments.output.empty()) options.output = arguments.output;
  if (!arguments.save_predictions.empty()) options.predictions = arguments.save_predictions;
  const bool alone = session.size() == 1;
  const dfine::Communicator group =
      alone ? dfine::Communicator(dfine::parse_device(arguments.device))
            : session.make_communicator(device_request(arguments.device));
  if (!alone && options.threads == 0)
    options.threads = std::max(1, dfine::usable_cores().count / session.local_size());
  // One rank fetches; the others find it in the cache, or say where it should be.
  if (group.rank() == 0) options.weights = dfine::local_weights("--weights", arguments.weights);
  options.weights = group.broadcast(options.weights, 0);
  dfine::evaluate_pack(options, group);
}

int run(dfine::MpiSession& session, int argc, char** argv) {
  dfine::EvalArguments arguments;
  CLI::App app = dfine::eval_application();
  dfine::describe_eval_options(app, arguments);
  if (session.size() == 1)
    return dfine::run_program(app, argc, argv, [&] { evaluate(arguments, session); });
  try {
    dfine::parse_command_line(app, argc, argv);
  } catch (const CLI::Success& e) {  // --help, --version
    return session.rank() == 0 ? app.exit(e) : 0;
  }
  evaluate(arguments, session);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  dfine::use_host_arena();
  return dfine::distributed_main(
      [&](dfine::MpiSession& session) { return run(session, argc, argv); });
}
