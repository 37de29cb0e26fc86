#include "cli/command_line.h"

#include <algorithm>
#include <map>
#include <vector>

#include "core/error.h"
#include "core/nearest.h"
#include "core/text.h"

namespace dfine {
namespace {

using Names = std::vector<std::string>;

/// Options of other programs by our names: Ultralytics, torchvision's references, pycocotools'
/// wrappers, the official D-FINE tools.
const std::map<std::string, Names>& synonyms() {
  static const std::map<std::string, Names> all{
      {"annotations", {"ann", "anno", "ann_file", "gt", "ground_truth", "labels", "json"}},
      {"batch-size", {"batch", "bs"}},
      {"classes", {"names", "class_names"}},
      {"config", {"cfg", "c", "conf", "config_file"}},
      {"device", {"gpu", "cuda", "accelerator"}},
      {"image-size", {"imgsz", "img_size", "size", "resolution", "input_size"}},
      {"images", {"source", "input", "i", "img", "img_dir", "image_dir", "im_file"}},
      {"jobs", {"j", "workers", "num_workers", "threads", "nproc"}},
      {"output", {"out", "o", "save_dir", "out_dir", "output_dir", "project", "dst"}},
      {"predictions", {"dt", "pred", "results", "detections"}},
      {"resume", {"r", "continue", "checkpoint"}},
      {"seed", {"random_seed"}},
      {"skip-bad", {"ignore_errors", "skip_errors"}},
      {"threads", {"j", "jobs", "workers", "num_workers"}},
      {"threshold", {"conf", "conf_thres", "score_threshold", "score_thr", "confidence", "thrh"}},
      {"val-fraction", {"val_split", "val_ratio", "val_size", "split_ratio"}},
      {"weights", {"model", "checkpoint", "ckpt", "w", "m", "resume"}},
  };
  return all;
}

/// Long names, without dashes, of the options of the command that was given, or else the program's.
Names option_names(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  const CLI::App& given = commands.empty() ? app : *commands.front();
  Names names;
  for (const CLI::Option* option : given.get_options())
    names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
  return names;
}

/// Those that begin as `name` does, or the other way round: --thresh, --images-dir.
Names continued(const std::string& name, const Names& known) {
  constexpr size_t kFewestLetters = 5;
  Names found;
  for (const std::string& option : known) {
    const std::string a = plain_name(name), b = plain_name(option);
    if (std::min(a.size(), b.size()) >= kFewestLetters && (a.starts_with(b) || b.starts_with(a)))
      found.push_back(option);
  }
  return found;
}

std::string nearest_option(const std::string& name, const Names& known, const OptionHint& hint) {
  Names found = nearest_names(name, known, name.size() < 2 ? 0 : tolerated_edits(name.size()));
  if (found.empty()) found = continued(name, known);
  const std::string hinted = found.empty() && hint ? hint(name) : "";
  if (!hinted.empty()) return hinted;
  for (const auto& [ours, others] : synonyms()) {
    const bool meant = std::find(others.begin(), others.end(), plain_name(name)) != others.end();
    const bool has_it = std::find(known.begin(), known.end(), ours) != known.end();
    if (found.empty() && meant && has_it) found = {ours};
  }
  for (std::string& option : found) option = "--" + option;
  return joined_by_or(found);
}

std::string question(const std::string& suggestion) {
  return suggestion.empty() ? "" : cat("; did you mean ", suggestion, "?");
}

/// Of what the program did not expect: each option; where there is none, a mistyped command.
std::string describe_unknown(const CLI::App& app, const OptionHint& hint) {
  const Names left = app.remaining(/*recurse=*/true), known = option_names(app);
  std::string text;
  for (const std::string& argument : left) {
    const size_t first = argument.find_first_not_of('-');
    if (first == 0 || first == std::string::npos) continue;
    const std::string option = argument.substr(0, argument.find('='));
    text += cat(text.empty() ? "" : "\n", "unknown option ", option,
                question(nearest_option(option.substr(first), known, hint)));
  }
  if (!text.empty() || left.empty()) return text;
  Names commands;
  for (const CLI::App* command : app.get_subcommands(nullptr))
    commands.push_back(command->get_name());
  const std::string& word = left.front();
  const Names nearest = nearest_names(word, commands, tolerated_edits(word.size()));
  return nearest.empty() ? "" : cat("unknown command ", word, question(joined_by_or(nearest)));
}

}  // namespace

void parse_command_line(CLI::App& app, int argc, char** argv, const OptionHint& hint) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success&) {
    throw;
  } catch (const CLI::ParseError& e) {
    // Options that are required count as missing when their names were mistyped: that comes first.
    const std::string unknown = describe_unknown(app, hint);
    throw UsageError(unknown.empty() ? e.what() : unknown,
                     app.get_name() + " --help shows the options");
  }
}

}  // namespace dfine
