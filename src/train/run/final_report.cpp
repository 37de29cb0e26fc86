#include "train/run/final_report.h"

#include <exception>

#include "core/log.h"
#include "core/text.h"
#include "eval/detections_file.h"
#include "run_report/report_page.h"

namespace dfine::inline run {

std::filesystem::path write_final_report(const RunContext& context,
                                         std::span<const Detection> detections) {
  constexpr size_t kMost = 600'000;
  const RunFolder& folder = context.folder;
  RunReportOptions options{.run = folder.dir(), .output = folder.report()};
  try {
    if (context.val_data && !detections.empty() && detections.size() <= kMost) {
      write_detections(folder.predictions(), detections);
      options.predictions = folder.predictions();
      options.data = context.val_data->folder();
    }
    write_run_report(options);
    return options.output;
  } catch (const std::exception& e) {
    log::warn(str_cat("no page of this run is written: ", e.what()));
    return {};
  }
}

}  // namespace dfine::inline run
