// dfine-eval-model: what dfine-eval becomes for a model.
#include "core/error.h"
#include "eval/eval_pack.h"
#include "eval/image_size_option.h"
#include "eval_options.h"
#include "hub/local_weights.h"
#include "memory/host_allocator.h"
#include "program.h"

int main(int argc, char** argv) {
  dfine::use_host_arena();
  dfine::EvalArguments arguments;
  CLI::App app = dfine::eval_application();
  dfine::describe_eval_options(app, arguments);
  return dfine::run_program(app, argc, argv, [&] {
    if (arguments.weights.empty())
      throw dfine::UsageError("this program evaluates models alone", "call dfine-eval instead");
    dfine::PackEvalOptions options;
    options.image_size = dfine::parse_image_size(arguments.image_size);
    options.weights = dfine::local_weights("--weights", arguments.weights);
    options.data = arguments.data;
    options.device = arguments.device;
    options.batch_size = arguments.batch_size;
    options.threads = arguments.threads;
    if (!arguments.output.empty()) options.output = arguments.output;
    dfine::evaluate_pack(options);
  });
}
