#include "data/formats/voc.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "data/formats/voc_files.h"
#include "data/formats/voc_split.h"
#include "data/formats/voc_xml.h"

namespace dfine::inline formats {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

constexpr const char* kEachOnce = "give each class once, one per line";

using ParsedFiles = std::map<std::string, VocAnnotation>;  // by id

ParsedFiles parse_all(const VocFiles& files, ThreadPool& pool) {
  std::vector<std::pair<std::string, fs::path>> todo;
  for (const auto& [id, xml] : files.xml) todo.emplace_back(id, xml.path);
  const auto parse = [&](size_t i) {
    const fs::path& path = todo[i].second;
    VocAnnotation annotation;
    try {
      annotation = parse_voc_xml(read_text(path), path);
    } catch (const Error& e) {
      annotation.image.problems.push_back(e.message());
    }
    return annotation;
  };
  ParsedFiles parsed;
  ordered_parallel(pool, todo.size(), 64 * static_cast<size_t>(pool.size() + 1), parse,
                   [&](size_t i, VocAnnotation annotation) {
                     parsed.emplace_hint(parsed.end(), todo[i].first, std::move(annotation));
                   });
  return parsed;
}

/// There are no objects, and so no classes, because of what is wrong with the files, or because
/// none has any.
[[noreturn]] void throw_no_classes(const VocFiles& files, const ParsedFiles& parsed) {
  std::vector<CocoProblem> problems;
  size_t broken = 0;
  for (const auto& [id, annotation] : parsed) {
    if (!annotation.image.problems.empty()) ++broken;
    for (const std::string& problem : annotation.image.problems) problems.push_back({problem});
  }
  if (problems.empty())
    throw Error(kDatasetTooSmall,
                str_cat("the XML files in ", files.annotation_folder.string(),
                        " hold no objects, so that there are no classes"),
                "name them with --classes FILE, one per line");
  throw_problems(
      str_cat(files.annotation_folder.string(), " gives no class names, and ", broken, " of its ",
              counted(static_cast<long long>(parsed.size()), "XML file", "XML files"),
              " cannot be used"),
      problems,
      "correct the files, or check --annotations: it names the folder of a dataset in Pascal VOC "
      "form");
}

std::vector<Category> categories_of(const fs::path& classes, const VocFiles& files,
                                    const ParsedFiles& parsed) {
  std::vector<std::string> names;
  if (!classes.empty()) {
    names = read_lines(classes);
    std::set<std::string> seen;
    for (const std::string& name : names) {
      if (!seen.insert(name).second)
        throw Error(kRecordInvalid, str_cat(classes.string(), " lists '", name, "' twice"),
                    kEachOnce);
    }
    if (names.empty())
      throw Error(kDatasetTooSmall, str_cat(classes.string(), " lists no classes"), kEachOnce);
  } else {
    std::set<std::string> found;
    for (const auto& [id, annotation] : parsed)
      found.insert(annotation.names.begin(), annotation.names.end());
    names.assign(found.begin(), found.end());
    if (names.empty()) throw_no_classes(files, parsed);
  }
  std::vector<Category> categories;
  categories.reserve(names.size());
  for (std::string& name : names)
    categories.push_back({static_cast<int64_t>(categories.size()), std::move(name)});
  return categories;
}

void set_labels(VocAnnotation& annotation, const fs::path& path,
                const std::map<std::string, int32_t>& labels) {
  for (size_t k = 0; k < annotation.names.size(); ++k) {
    const auto label = labels.find(annotation.names[k]);
    if (label != labels.end()) {
      annotation.image.annotations[k].label = label->second;
    } else {
      annotation.image.problems.push_back(str_cat(at_line(path, annotation.lines[k]),
                                                  ": unknown class \"",
                                                  printable(annotation.names[k]), "\""));
    }
  }
}

/// The image that belongs to an id, with its boxes, or what is wrong.
FolderImage image_of(const std::string& id, const VocFiles& files, ParsedFiles& parsed,
                     const std::map<std::string, int32_t>& labels) {
  FolderImage image;
  if (const auto xml = files.xml.find(id); xml != files.xml.end()) {
    VocAnnotation& annotation = parsed.at(id);
    set_labels(annotation, xml->second.path, labels);
    image = std::move(annotation.image);
    image.image.file_name = annotation.file_name;
    if (!xml->second.twin.empty())
      image.problems.push_back(str_cat("both ", printable(xml->second.path), " and ",
                                       printable(xml->second.twin), " are there"));
  } else {
    image.problems.push_back(str_cat(printable(files.xml_path(id)), " does not exist"));
  }
  if (const auto found = files.images.find(id); found != files.images.end()) {
    const std::set<std::string>& names = found->second;
    image.image.file_name = *names.begin();
    if (names.size() > 1)
      image.problems.push_back(str_cat(printable(files.xml_path(id)), " may belong to ",
                                       printable(*names.begin()), " or to ",
                                       printable(*std::next(names.begin()))));
  } else if (const auto other = files.xml.find(voc_id(image.image.file_name));
             other != files.xml.end() && other->first != id) {
    image.problems.push_back(str_cat(printable(files.xml_path(id)), ": no image has the id ",
                                     printable(id), ", and ", printable(image.image.file_name),
                                     ", its <filename>, belongs to ",
                                     printable(other->second.path)));
  }
  if (image.image.file_name.empty()) image.image.file_name = id + ".jpg";  // reported as missing
  return image;
}

/// "b/c" of "a/b/c".
fs::path without_first(const fs::path& path) {
  fs::path rest;
  for (auto part = std::next(path.begin()); part != path.end(); ++part) rest /= *part;
  return rest;
}

/// Image files that no XML file belongs to.
DataNote without_xml(const VocFiles& files, const std::vector<FolderImage>& chosen) {
  std::set<std::string> used;
  for (const FolderImage& image : chosen) used.insert(image.image.file_name);
  DataNote note{"images without an XML file, not packed", 0, {}};
  for (const auto& [id, names] : files.images) {
    for (const std::string& name : names) {
      if (!files.xml.contains(id) && !used.contains(name)) note.add(name);
    }
  }
  return note;
}

/// For a line of a list that is no id, but perhaps the path of an image or an XML file.
std::string id_advice(std::string line, const std::function<bool(const std::string&)>& exists) {
  std::ranges::replace(line, '\\', '/');
  for (fs::path path = fs::path(line).relative_path(); !path.empty(); path = without_first(path)) {
    for (const std::string& id : {path.generic_string(), voc_id(path)}) {
      if (exists(id))
        return str_cat("; did you mean ", printable(id),
                       "? An id is a path below Annotations, with / and without an extension");
    }
  }
  return {};
}

}  // namespace

Annotations read_voc(const fs::path& folder, const std::string& split, const fs::path& images,
                     const fs::path& classes, ThreadPool& pool) {
  VocFiles files = find_voc_files(folder, images);
  ParsedFiles parsed = parse_all(files, pool);
  std::vector<Category> categories = categories_of(classes, files, parsed);
  std::map<std::string, int32_t> labels;
  for (const Category& category : categories)
    labels.emplace(category.name, static_cast<int32_t>(category.id));

  std::vector<FolderImage> chosen;
  if (split.empty()) {
    for (const auto& [id, xml] : files.xml) chosen.push_back(image_of(id, files, parsed, labels));
    append_note(files.notes, without_xml(files, chosen));
  } else {
    const fs::path list = folder / "ImageSets" / "Main" / (split + ".txt");
    const auto exists = [&](const std::string& id) {
      return files.xml.contains(id) || files.images.contains(id);
    };
    VocSplit wanted = read_voc_split(list, exists);
    for (const auto& [id, line] : wanted.images) {
      chosen.push_back(image_of(id, files, parsed, labels));
      if (files.xml.contains(id)) continue;
      std::string& problem = chosen.back().problems.front();
      problem =
          str_cat(at_line(list, line), ": ", problem, exists(id) ? "" : id_advice(id, exists));
    }
    append_note(files.notes, std::move(wanted.absent));
  }
  const fs::path& source = classes.empty() ? files.annotation_folder : classes;
  return {coco_from_folder(std::move(categories), std::move(chosen), source), files.image_folder,
          std::move(files.notes)};
}

}  // namespace dfine::inline formats
