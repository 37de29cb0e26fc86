#include "run_report/report_page.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "core/utc_time.h"
#include "dfine_version.h"
#include "embedded/chart_library.h"
#include "embedded/report_body.h"
#include "embedded/report_script.h"
#include "embedded/report_style.h"
#include "files/atomic_path.h"
#include "html/html_page.h"
#include "run_report/detections_page.h"
#include "run_report/page_json.h"
#include "run_report/run_json.h"
#include "run_report/validated_set.h"

namespace dfine::inline run_report {
namespace {

void require_run_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error))
    throw Error(ErrorCode::kFileMissing, str_cat(printable(folder), " is no folder"),
                "give the folder of a run: run.dir of its configuration");
  for (const char* name : {"metrics.jsonl", "config.toml", "log.txt"})
    if (std::filesystem::exists(folder / name, error)) return;
  throw Error(ErrorCode::kFileMissing,
              str_cat(printable(folder), " has neither metrics.jsonl nor config.toml nor log.txt"),
              "give the folder of a run: run.dir of its configuration");
}

}  // namespace

void write_run_report(const RunReportOptions& options) {
  nlohmann::ordered_json page{{"version", DFINE_VERSION},
                              {"created", utc_now()},
                              {"runs", nlohmann::ordered_json::array()}};
  std::vector<std::filesystem::path> folders = options.compare;
  if (options.run) folders.insert(folders.begin(), *options.run);
  for (const auto& folder : folders) require_run_folder(folder);
  for (const auto& folder : folders) page["runs"].push_back(run_json(folder));
  const std::string title = folders.empty()
                                ? "Detection report"
                                : "Run report: " + page["runs"][0]["name"].get<std::string>();
  std::string body(embedded::report_body());
  if (options.predictions) {
    const ValidatedSet set = options.data ? validated_pack(*options.data)
                                          : validated_files(*options.annotations, options.images);
    DetectionsPage detections = detections_page(set, {.predictions = *options.predictions,
                                                      .pictures = options.pictures,
                                                      .threads = options.threads});
    page["detections"] = std::move(detections.json);
    body += "<script type=text/plain id=report-columns>" + detections.columns + "</script>\n";
  }
  body += json_element("report-data", page);
  const auto html =
      render_page({.title = title,
                   .styles = {{embedded::report_style(), embedded::report_style_sha256()}},
                   .body = std::move(body),
                   .scripts = {{embedded::chart_library(), embedded::chart_library_sha256()},
                               {embedded::report_script(), embedded::report_script_sha256()}}});
  write_file_atomically(options.output, html);
}

}  // namespace dfine::inline run_report
