// dfine-report: one HTML page about a run. See docs/report.md.
#include <iostream>
#include <string>

#include "cli/command_line.h"
#include "core/error.h"
#include "core/printable.h"
#include "dfine_version.h"
#include "run_report/report_page.h"

namespace dfine {
namespace {

constexpr const char* kExamples =
    "examples:\n"
    "  dfine-report runs/photos\n"
    "  dfine-report runs/photos --compare runs/other --output both.html\n"
    "  dfine-report runs/photos --annotations val.json --predictions predictions.json \\\n"
    "    --images-dir photos\n\n";

void describe(CLI::App& app, RunReportOptions& options, std::string& output) {
  app.set_version_flag("--version", "dfine-report " DFINE_VERSION);
  app.add_option("RUN_DIR", options.run, "folder of the run: run.dir of its configuration")
      ->type_name("");
  app.add_option("--compare", options.compare, "another run folder; may be given several times")
      ->allow_extra_args(false)
      ->type_name("RUN_DIR");
  auto* annotations = app.add_option("--annotations", options.annotations,
                                     "ground truth of the detections: a COCO annotation file")
                          ->type_name("FILE.json");
  auto* data = app.add_option("--data", options.data,
                              "or a pack, which has the images too: the folder that dfine-pack "
                              "wrote")
                   ->type_name("DIR")
                   ->excludes(annotations);
  auto* predictions =
      app.add_option("--predictions", options.predictions,
                     "detections: a list of {image_id, category_id, bbox, score}, as dfine-predict "
                     "writes it")
          ->type_name("FILE.json");
  app.add_option("--images-dir", options.images,
                 "folder of the images that --annotations names; without it, boxes are drawn on "
                 "an empty ground")
      ->type_name("DIR")
      ->needs(annotations);
  app.add_option("--images", options.pictures, "pictures in the page: of the worst N images")
      ->type_name("N")
      ->capture_default_str()
      ->needs(predictions);
  app.add_option("--threads", options.threads, "threads; 0 takes one for every core")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  annotations->needs(predictions);
  data->needs(predictions);
  app.add_option("--output", output,
                 "the page; an existing one is replaced. Default: report.html in RUN_DIR, or in "
                 "the current folder")
      ->type_name("FILE.html");
  app.footer(std::string(kExamples) + kExitCodesHelp);
}

int main(int argc, char** argv) {
  CLI::App app(
      "Writes one HTML page that shows what a training run did and what the model detects.",
      "dfine-report");
  RunReportOptions options;
  std::string output;
  describe(app, options, output);
  try {
    parse_command_line(app, argc, argv);
    if (!options.run && !options.predictions)
      throw UsageError("nothing to report", "give the folder of a run, or --predictions");
    if (options.predictions && !options.annotations && !options.data)
      throw UsageError("--predictions needs the ground truth", "give --annotations or --data");
    if (!options.run && !options.compare.empty())
      throw UsageError("--compare needs a run to compare with", "give its folder first");
    const std::filesystem::path folder = options.run.value_or(std::filesystem::path("."));
    options.output = output.empty() ? folder / "report.html" : std::filesystem::path(output);
    write_run_report(options);
    std::cout << printable(options.output) << '\n';
    finish_output();
  } catch (const CLI::Success& e) {  // --help, --version
    return app.exit(e);
  } catch (const Error& e) {
    std::cerr << "dfine-report: " << printable_lines(e.what()) << '\n';
    return e.exit_code();
  } catch (const std::exception& e) {
    std::cerr << "dfine-report: " << printable_lines(e.what()) << '\n';
    return kExitFailed;
  }
  return kExitDone;
}

}  // namespace
}  // namespace dfine

int main(int argc, char** argv) {
  return dfine::main(argc, argv);
}
