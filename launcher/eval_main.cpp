// dfine-eval. It has no LibTorch, whose libraries take longer to load than files to evaluate.
#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "eval_options.h"
#include "large_heap.h"
#include "plain_program.h"
#include "scoring/eval_files.h"
#include "scoring/eval_settings.h"
#include "sibling.h"

namespace {

void use_memory_for(const dfine::FileEvalOptions& options) {
  std::uintmax_t bytes = 0;
  for (const auto& file : {options.annotations, options.predictions}) {
    std::error_code failed;
    const auto size = std::filesystem::file_size(file, failed);
    if (!failed) bytes += size;
  }
  dfine::use_large_heap(bytes + bytes / 2);
}

}  // namespace

int main(int argc, char** argv) {
  dfine::EvalArguments arguments;
  CLI::App app = dfine::eval_application();
  dfine::describe_eval_options(app, arguments);
  return dfine::run_plain_program(app, argc, argv, [&] {
    if (!arguments.weights.empty())
      dfine::become_sibling("dfine-eval-model", argv,
                            "evaluating a model needs a build with LibTorch (DFINE_TORCH=ON) and "
                            "both programs in one folder. Files need neither: --annotations and "
                            "--predictions");
    if (arguments.annotations.empty())
      throw dfine::UsageError("nothing to evaluate",
                              "give --weights and --data, or --annotations and --predictions");
    if (arguments.details && arguments.class_agnostic)
      throw dfine::UsageError("--details are by class, and --class-agnostic has none",
                              "give one of them");
    dfine::log::set_console(arguments.console.options(/*info_to_stdout=*/false));
    dfine::FileEvalOptions options{
        .annotations = arguments.annotations,
        .predictions = arguments.predictions,
        .output = {},
        .details = arguments.details,
        .params = dfine::parse_eval_settings(arguments.iou_thresholds, arguments.max_dets,
                                             arguments.class_agnostic),
        .threads = arguments.threads};
    if (!arguments.output.empty()) options.output = arguments.output;
    use_memory_for(options);
    dfine::evaluate_files(options);
  });
}
