#include "data/formats/voc_split.h"

#include <map>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "data/formats/image_folder.h"

namespace dfine::inline formats {
using enum ErrorCode;
namespace {

std::string without_quotes(const std::string& text) {
  const bool quoted = text.size() >= 2 && text.front() == text.back() &&
                      (text.front() == '"' || text.front() == '\'');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

struct Entry {
  std::string id;
  bool absent = false;
};

Entry parse(const std::string& line, const std::function<bool(const std::string&)>& exists) {
  if (exists(line)) return {line};
  const std::string whole = without_quotes(line);
  if (exists(whole)) return {whole};
  const size_t flag_at = line.find_last_of(" \t");
  if (flag_at == std::string::npos) return {whole};
  const std::string flag = line.substr(flag_at + 1);
  if (flag != "1" && flag != "0" && flag != "-1") return {whole};
  return {without_quotes(line.substr(0, line.find_last_not_of(" \t", flag_at) + 1)), flag == "-1"};
}

}  // namespace

VocSplit read_voc_split(const std::filesystem::path& list,
                        const std::function<bool(const std::string&)>& exists) {
  VocSplit split;
  split.absent.what =
      str_cat("images marked -1 (without the class) in ", list.string(), ", skipped");
  std::map<std::string, size_t> lines;
  for (const auto& [number, text] : read_numbered_lines(list)) {
    Entry entry = parse(text, exists);
    const auto [before, is_new] = lines.emplace(entry.id, number);
    if (!is_new) {
      throw Error(kRecordInvalid,
                  str_cat(at_line(list, number), ": ", entry.id, " is listed twice, in line ",
                          before->second, " already"),
                  "list each image once");
    }
    if (entry.absent) {
      split.absent.add(entry.id);
    } else {
      split.images.push_back({std::move(entry.id), number});
    }
  }
  if (split.images.empty()) {
    throw Error(kDatasetTooSmall,
                str_cat(list.string(), split.absent.count > 0
                                           ? " marks all its images with -1: none shows the class"
                                           : " lists no images"),
                "choose another --split, or pack all images without --split");
  }
  return split;
}

}  // namespace dfine::inline formats
