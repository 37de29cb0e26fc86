#include "train/run/run_summary.h"

#include <algorithm>
#include <cctype>

#include "core/text.h"
#include "eval/monitor.h"

namespace dfine::inline run {
namespace {

/// One word of a shell's command line.
std::string quoted(const std::string& text) {
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || c >= 0x80 ||
           std::string_view("/._-+,:@%=").find(static_cast<char>(c)) != std::string::npos;
  };
  if (!text.empty() && std::ranges::all_of(text, is_plain)) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

}  // namespace

std::string run_summary(const RunState& state, const RunPlan& plan, const RunFolder& folder,
                        double minutes, const std::filesystem::path& report) {
  const std::string checkpoint = folder.checkpoint(state.best ? "best" : "last").string(),
                    weights = quoted(checkpoint);
  std::string text;
  if (state.best) {
    const bool is_ap = state.best->monitor == Monitor::kAp;
    text = str_cat("best ", is_ap ? "AP " : "val_loss ", fixed(state.best->value, 4), " in epoch ",
                   state.best->epoch, ", step ", state.best->step);
  } else {
    text = "nothing was validated";
  }
  text += str_cat("; ", human_duration(60 * minutes), " in all\n  checkpoint  ", checkpoint);
  if (!report.empty()) text += str_cat("\n  report      ", report.string());
  if (!plan.val_pack.empty())
    text += str_cat("\n  evaluate    dfine-eval --weights ", weights, " --data ",
                    quoted(plan.val_pack));
  return text + str_cat("\n  predict     dfine-predict --weights ", weights,
                        " --images FOLDER --output FOLDER");
}

}  // namespace dfine::inline run
