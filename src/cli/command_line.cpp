#include "cli/command_line.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <iostream>
#include <map>
#include <optional>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "core/nearest.h"
#include "core/split.h"
#include "core/text.h"

namespace dfine::inline cli {
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
      {"iou-thresholds", {"iou", "iou_thr", "iou_thrs", "iou_threshold"}},
      {"images", {"source", "input", "i", "img", "img_dir", "image_dir", "im_file"}},
      {"jobs", {"j", "workers", "num_workers", "threads", "nproc"}},
      {"max-dets", {"max_det", "max_detections"}},
      {"nms", {"iou", "iou_thr", "iou_threshold", "nms_iou"}},
      {"no-pictures", {"no_save", "nosave"}},
      {"output", {"out", "o", "save_dir", "out_dir", "output_dir", "project", "dst"}},
      {"predictions", {"dt", "pred", "results", "detections"}},
      {"resume", {"r", "continue", "checkpoint"}},
      {"seed", {"random_seed"}},
      {"skip-bad", {"ignore_errors", "skip_errors"}},
      {"tile", {"slice", "slice_size", "slice_width", "slice_height", "tile_size"}},
      {"top-k", {"k", "max_det", "max_dets", "max_detections"}},
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
  std::string hinted = found.empty() && hint ? hint(name) : "";
  if (!hinted.empty()) return hinted;
  for (const auto& [ours, others] : synonyms()) {
    const bool meant = std::find(others.begin(), others.end(), plain_name(name)) != others.end();
    const bool has_it = std::find(known.begin(), known.end(), ours) != known.end();
    if (found.empty() && meant && has_it) found = {ours};
  }
  for (std::string& option : found) option.insert(0, "--");
  return joined_by_or(found);
}

std::string question(const std::string& suggestion) {
  return suggestion.empty() ? "" : str_cat("; did you mean ", suggestion, "?");
}

/// Of what the program did not expect: each option; where there is none, a mistyped command.
std::string describe_unknown(const CLI::App& app, const OptionHint& hint) {
  const Names left = app.remaining(/*recurse=*/true), known = option_names(app);
  std::string text;
  for (const std::string& argument : left) {
    const size_t first = argument.find_first_not_of('-');
    if (first == 0 || first == std::string::npos) continue;
    const std::string option = argument.substr(0, argument.find('='));
    text += str_cat(text.empty() ? "" : "\n", "unknown option ", option,
                    question(nearest_option(option.substr(first), known, hint)));
  }
  if (!text.empty() || left.empty()) return text;
  Names commands;
  for (const CLI::App* command : app.get_subcommands(nullptr))
    commands.push_back(command->get_name());
  const std::string& word = left.front();
  const Names nearest = nearest_names(word, commands, tolerated_edits(word.size()));
  return nearest.empty() ? "" : str_cat("unknown command ", word, question(joined_by_or(nearest)));
}

/// "2.5" of "2.500000", as std::to_string writes it; integers stay.
std::string short_number(std::string number) {
  if (number.find('.') == std::string::npos) return number;
  number.erase(number.find_last_not_of('0') + 1);
  if (number.ends_with('.')) number.pop_back();
  return number;
}

/// What a value that cannot be converted is not: a number, or the number that this option takes.
std::string describe_no_number(const std::string& value) {
  double number = 0;
  const char* end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, number);
  if (rest != end || error == std::errc::invalid_argument) return "is not a number";
  const bool whole = error == std::errc() && number == std::floor(number);
  return whole && value.find_first_of(".eE") == std::string::npos
             ? (number < 0 ? "is too small" : "is too large")
             : "is not a whole number";
}

/// `range`: "1 to 1024". `type`: names CLI11's validators without an upper end.
std::string describe_range(const std::string& range, const std::string& type) {
  if (type.find("NONNEGATIVE") != std::string::npos) return "is not a number of 0 or more";
  if (type.find("POSITIVE") != std::string::npos) return "is not a number above 0";
  const size_t to = std::min(range.find(" to "), range.size());
  const bool whole = range.find('.') == std::string::npos;
  return str_cat("is not a ", whole ? "whole " : "", "number from ",
                 short_number(range.substr(0, to)), range.substr(to, 4),
                 short_number(range.substr(std::min(to + 4, range.size()))));
}

/// `choices`: "coco,text".
std::string describe_choices(const std::string& value, const std::string& choices) {
  const Names names = split(choices, ',');
  const Names nearest = nearest_names(value, names, tolerated_edits(value.size()));
  return str_cat("is not ", joined_by_or(names), question(joined_by_or(nearest)));
}

/// What stands in `text` between `begin` and `end` (empty: its end); nothing where one is missing.
std::optional<std::string> between(const std::string& text, const std::string& begin,
                                   const std::string& end) {
  const size_t at = text.find(begin);
  if (at == std::string::npos) return std::nullopt;
  const size_t from = at + begin.size();
  const size_t to = end.empty() ? text.size() : text.find(end, from);
  if (to == std::string::npos) return std::nullopt;
  return text.substr(from, to - from);
}

/// What is wrong with the value of an option that CLI11 says `error` about, and what it takes.
/// Empty: the text is about another option, or in none of the forms of CLI11 2.
std::string describe_value(const CLI::Option& option, const std::string& error) {
  const std::string name = option.get_name();
  const auto about = [&](const std::string& value, const std::string& what) {
    return str_cat(name, " '", value, "' ", what);
  };
  if (const auto value = between(error, str_cat("Could not convert: ", name, " = "), "")) {
    if (option.get_items_expected_max() == 0) return name + " takes no value";
    return about(*value, describe_no_number(*value));
  }
  if (!error.starts_with(name + ": ")) return {};
  constexpr const char* kSize = "give a size such as 700000, 512MiB or 1GB";
  if (const auto value = between(error, ": Value ", " not in range ")) {
    const std::string range = *between(error, " not in range ", "");
    return about(*value, describe_range(range, option.get_type_name()));
  }
  if (const auto value = between(error, ": ", " not in {"))
    return about(*value, describe_choices(*value, *between(error, " not in {", "}")));
  if (const auto unit = between(error, ": ", " unit not recognized"))
    return about(*unit, str_cat("is no known unit; ", kSize));
  if (const auto value = between(error, ": Value ", " could not be converted to "))
    return about(*value, str_cat("is not a whole number; ", kSize));
  if (const auto times = between(error, "At Most 1 required but received ", ""))
    return str_cat(name, " is given ", *times, " times");
  const bool empty = error.ends_with(" missing") || error.ends_with("Input is empty");
  return empty ? name + " has no value" : "";
}

std::string describe_bad_value(const CLI::App& app, const std::string& error) {
  std::vector<const CLI::App*> apps{&app};
  std::ranges::copy(app.get_subcommands(), std::back_inserter(apps));
  for (const CLI::App* given : apps) {
    for (const CLI::Option* option : given->get_options()) {
      std::string text = describe_value(*option, error);
      if (!text.empty()) return text;
    }
  }
  return error;
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
    throw UsageError(unknown.empty() ? describe_bad_value(app, e.what()) : unknown,
                     app.get_name() + " --help shows the options");
  }
}

void finish_output() {
  errno = 0;
  if (std::cout.flush()) return;
  const int code = errno;  // 0: it failed before
  throw Error(ErrorCode::kWriteFailed,
              str_cat("cannot write to the standard output",
                      code == 0 ? "" : ": " + std::generic_category().message(code)));
}

}  // namespace dfine::inline cli
