#include "data/formats/yolo.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <set>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "data/class_names.h"
#include "data/coco/unexpected_file.h"
#include "data/formats/image_listing.h"
#include "data/formats/yolo_labels.h"
#include "files/absolute_path.h"
#include "files/folder_walk.h"
#include "files/lower_extension.h"

namespace dfine::inline formats {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

constexpr const char* kYamlHint =
    "data.yaml gives `names`, the classes as a list or as a map from their numbers, and folders as "
    "`train`, `val`";

/// From 1; the first where the library knows none.
size_t line_of(const YAML::Mark& mark) {
  return mark.line < 0 ? 1 : static_cast<size_t>(mark.line) + 1;
}

/// The part of data.yaml that matters here.
class DataYaml {
 public:
  explicit DataYaml(const fs::path& path) : path_(path) {
    const std::string text = read_text(path);
    if (text.starts_with('{') && text.find("\"annotations\"") != std::string::npos)
      throw Error(
          kFormatInvalid,
          str_cat(path.string(), " looks like a COCO annotation file (JSON), not like data.yaml"),
          "--format coco reads it");
    try {
      root_ = YAML::Load(text);  // UTF-16 with a byte order mark too
      if (!root_.IsMap()) require_utf8(text, path);
      if (!root_.IsMap()) fail(root_, "is not a map of keys and values");
      read_names();
    } catch (const YAML::Exception& e) {
      require_utf8(text, path);
      throw Error(kFormatInvalid, str_cat(at_line(path, line_of(e.mark)), ": ", e.msg), kYamlHint);
    }
  }

  const std::vector<Category>& categories() const { return categories_; }
  bool key_points() const { return is_given("kpt_shape"); }

  /// The dataset's own folder: `path`, beside the YAML file or absolute; that of the file itself
  /// where there is none such.
  fs::path folder() const {
    fs::path beside = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
    const YAML::Node path = root_["path"];
    if (!path.IsDefined() || !path.IsScalar()) return beside;
    std::error_code failed;
    const fs::path named = beside / path.Scalar();
    return fs::is_directory(named, failed) ? named : beside;
  }

  std::vector<std::string> entries(const std::string& split) const {
    const YAML::Node node = root_[split];
    if (!is_given(split))
      throw Error(kMissingKey, str_cat(path_.string(), " has no entry '", split, "'"),
                  "check --split, or name the folder with --images");
    std::vector<std::string> entries;
    if (node.IsScalar()) entries.push_back(node.Scalar());
    if (node.IsSequence()) {
      const std::string what = str_cat("an entry of '", split, "'");
      for (const auto& entry : node) entries.push_back(text(entry, what));
    }
    if (entries.empty()) fail(node, str_cat("'", split, "' is neither a path nor a list of paths"));
    return entries;
  }

 private:
  [[noreturn]] void fail(const YAML::Node& node, const std::string& what) const {
    throw Error(kFormatInvalid, str_cat(at_line(path_, line_of(node.Mark())), ": ", what),
                kYamlHint);
  }

  /// `key:` without a value counts as absent.
  bool is_given(const std::string& key) const {
    const YAML::Node node = root_[key];
    return node.IsDefined() && !node.IsNull();
  }

  /// `what` it is, for messages.
  std::string text(const YAML::Node& node, const std::string& what) const {
    if (!node.IsScalar()) fail(node, what + " is not a text, but a list or a map, or nothing");
    return node.Scalar();
  }

  size_t count(const YAML::Node& node, const std::string& what) const {
    const std::string digits = text(node, what);
    size_t value = 0;
    const char* end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, value);
    if (rest != end || error == std::errc::invalid_argument)
      fail(node, str_cat(what, " \"", digits, "\" is not a whole number from 0 on"));
    if (error != std::errc()) fail(node, str_cat(what, " ", digits, " is too large"));
    return value;
  }

  /// `place`: where it stands; an absent value has no place of its own.
  std::string class_name(const YAML::Node& node, const YAML::Node& place) const {
    if (node.IsNull() || (node.IsScalar() && is_blank(node.Scalar())))
      fail(place, "a class name is empty");
    return text(node, "a class name");
  }

  void read_names() {
    const YAML::Node names = root_["names"];
    if (!is_given("names") || names.size() == 0) fail(root_, "there are no class names");
    if (names.IsSequence()) {
      for (const auto& name : names) add_class(class_name(name, name));
    } else if (names.IsMap()) {
      read_map_of_names(names);
    } else {
      fail(names, "`names` is neither a list nor a map");
    }
    const YAML::Node given = root_["nc"];
    if (!is_given("nc") || count(given, "`nc`") == categories_.size()) return;
    const std::string found = counted(static_cast<long long>(categories_.size()), "name");
    fail(given, str_cat("`nc` is ", given.Scalar(), ", but `names` has ", found));
  }

  void read_map_of_names(const YAML::Node& names) {
    std::map<size_t, std::string> by_id;
    for (const auto& entry : names) {
      const size_t id = count(entry.first, "the class id");
      if (!by_id.emplace(id, class_name(entry.second, entry.first)).second)
        fail(entry.first, str_cat("`names` has class ", id, " twice"));
    }
    for (auto& [id, name] : by_id) {
      const size_t next = categories_.size();
      if (id != next) fail(names, str_cat("`names` has no class ", next, ", but class ", id));
      add_class(std::move(name));
    }
  }

  void add_class(std::string name) {
    categories_.push_back({static_cast<int64_t>(categories_.size()), std::move(name)});
  }

  fs::path path_;
  YAML::Node root_;
  std::vector<Category> categories_;
};

struct ImageList {
  fs::path folder;  // that names are relative to: the dataset's, or one above all images where
                    // some lie outside of it
  std::vector<fs::path> paths;  // in ascending order, or in that of the text file
  std::vector<std::string>
      sources;  // [paths] "train.txt, line 3" of those that a text file names; else empty
  std::set<std::string> searched;       // image folders
  std::set<std::string> label_folders;  // of their images
  UnusedFiles unused;                   // files in all these folders
};

/// The same path without ".": "a/b" for "./a/./b".
fs::path without_dots(const fs::path& path) {
  fs::path plain;
  for (const fs::path& part : path) {
    if (part != ".") plain /= part;
  }
  return plain.empty() ? "." : plain;
}

/// `entry` of the YAML file as a path; exports with "../train/images" where "train/images" is meant
/// are common.
fs::path locate(const fs::path& folder, const std::string& entry) {
  fs::path path = without_dots(folder / entry);
  if (fs::exists(path)) return path;
  if (entry.starts_with("../") && fs::exists(folder / entry.substr(3)))
    return without_dots(folder / entry.substr(3));
  throw Error(kFileMissing, str_cat(path.string(), " does not exist"),
              "check the paths in data.yaml, or name the folder with --images");
}

fs::path relative_to(const fs::path& folder, const fs::path& path) {
  return absolute_path(path).lexically_relative(absolute_path(folder));
}

bool leaves(const fs::path& folder, const fs::path& path) {
  return *relative_to(folder, path).begin() == "..";
}

/// The innermost folder that holds all the files.
fs::path common_folder(const std::vector<fs::path>& files) {
  fs::path common = absolute_path(files.front()).parent_path();
  for (const fs::path& file : files) {
    while (leaves(common, file)) common = common.parent_path();
  }
  return common;
}

std::string label_folder(const fs::path& image) {
  return absolute_path(yolo_label_path(image)).parent_path().string();
}

void search(const fs::path& folder, ImageList& list, ThreadPool& pool) {
  list.searched.insert(absolute_path(folder / "image").parent_path().string());
  list.label_folders.insert(label_folder(folder / "image"));
  for (const fs::path& image : list_image_folder(folder, pool, list.unused)) {
    list.paths.push_back(without_dots(folder / image));
    list.label_folders.insert(label_folder(list.paths.back()));
  }
}

ImageList find_images(const DataYaml& yaml, const std::string& split, const fs::path& images,
                      ThreadPool& pool) {
  if (!images.empty()) {
    ImageList list{absolute_path(images),
                   {},
                   {},
                   {},
                   {},
                   {}};  // "." may be a folder `images`, beside which labels stand
    search(list.folder, list, pool);
    return list;
  }
  const std::vector<std::string> entries = yaml.entries(split);
  ImageList list{yaml.folder(), {}, {}, {}, {}, {}};
  for (const std::string& entry : entries) {
    const fs::path path = locate(list.folder, entry);
    if (fs::is_directory(path)) {
      search(path, list, pool);
      if (entries.size() == 1) list.folder = path;
    } else {
      for (const auto& [number, text] : read_numbered_lines(path)) {
        list.paths.push_back(without_dots(path.parent_path() / text));
        list.sources.resize(list.paths.size() - 1);
        list.sources.push_back(at_line(path, number));
      }
    }
  }
  const auto outside = [&](const fs::path& path) { return leaves(list.folder, path); };
  if (std::ranges::any_of(list.paths, outside)) list.folder = common_folder(list.paths);
  return list;
}

/// Is a folder above this one among the others?
bool lies_within(fs::path folder, const std::set<std::string>& others) {
  while (folder.has_relative_path()) {
    folder = folder.parent_path();
    if (others.contains(folder.string())) return true;
  }
  return false;
}

/// Label files of the folders that were searched without an image of that name; hidden ones go to
/// list.unused.
DataNote find_unused_labels(ImageList& list) {
  std::unordered_set<std::string> used;
  for (const fs::path& image : list.paths)
    used.insert(absolute_path(yolo_label_path(image)).string());
  std::set<std::string> unused;
  for (const fs::path folder : list.label_folders) {
    std::error_code failed;
    if (lies_within(folder, list.label_folders) || !fs::is_directory(folder, failed)) continue;
    const FolderFiles found = walk_folder(folder);
    const bool was_searched =
        list.searched.contains(folder.string()) || lies_within(folder, list.searched);
    for (const fs::path& name : found.hidden) {
      if (!was_searched) list.unused.hidden.insert((folder / name).string());
    }
    for (const fs::path& name : found.cycles) {
      if (!was_searched) list.unused.cycles.insert((folder / name).string());
    }
    for (const fs::path& name : found.files) {
      const std::string path = (folder / name).string();
      // Capital letters too: a label file named so is looked for under no image's name.
      if (lower_extension(name) == ".txt" && !used.contains(path)) unused.insert(path);
    }
  }
  DataNote note{"text files among the labels that belong to no image, not used", 0, {}};
  for (const std::string& name : unused) note.add(name);
  return note;
}

/// What a path that does not exist may want; empty: nothing is seen.
std::string path_advice(const fs::path& path) {
  const std::string& text = path.native();
  if (text.ends_with('"') || text.ends_with('\'')) return "remove the quotes around it";
  if (text.find('\\') != std::string::npos) return "write / for \\ in the paths";
  for (const char* scheme : {"http:/", "https:/"})
    if (text.find(scheme) != std::string::npos) return "download the images, and list their paths";
  return {};
}

class Reader {
 public:
  Reader(const DataYaml& yaml, ImageList list)
      : list_(std::move(list)), format_{yaml.categories().size(), yaml.key_points()} {
    list_.sources.resize(list_.paths.size());
  }

  std::vector<FolderImage> read_all(ThreadPool& pool) {
    std::vector<FolderImage> images;
    ordered_parallel(
        pool, list_.paths.size(), 64 * static_cast<size_t>(pool.size() + 1),
        [&](size_t i) { return read(i); },
        [&](size_t i, ReadImage read) {
          if (read.exists) ++existing_;
          if (!read.labels.empty()) labels_.emplace_back(std::move(read.labels), i);
          images.push_back(std::move(read.image));
        });
    if (!images.empty() && existing_ == 0) throw_no_images();
    if (!images.empty() && labels_.empty()) {
      throw Error(kFileMissing,
                  str_cat("there is not one label file: looked for ",
                          yolo_label_path(list_.paths.front()).string(), " and the like"),
                  "labels of .../images/a.jpg stand in .../labels/a.txt");
    }
    return images;
  }

  /// Of read_all().
  DataNote shared_labels() {
    DataNote note{"label files that several images share, used for each", 0, {}};
    std::ranges::sort(labels_);
    for (auto first = labels_.begin(), end = first; first != labels_.end(); first = end) {
      end = std::find_if(first, labels_.end(),
                         [&](const auto& other) { return other.first != first->first; });
      if (end - first < 2) continue;
      std::set<fs::path> paths;  // a list may name an image twice
      for (auto user = first; user != end; ++user)
        paths.insert(relative_to(list_.folder, list_.paths[user->second]));
      if (paths.size() < 2) continue;
      std::string names;
      for (const fs::path& path : paths)
        names += str_cat(names.empty() ? "" : ", ", path.generic_string());
      note.add(str_cat(first->first, ": ", names));
    }
    return note;
  }

 private:
  struct ReadImage {
    FolderImage image;
    bool exists = true;
    std::string labels;  // the label file; empty: there is none
  };

  ReadImage read(size_t i) const {
    const fs::path& path = list_.paths[i];
    const fs::path labels = yolo_label_path(path);
    std::error_code failed;
    ReadImage read;
    if (fs::exists(labels, failed)) read.labels = labels.string();
    FolderImage& image = read.image;
    image.image.file_name = relative_to(list_.folder, path).generic_string();
    const std::string source = list_.sources[i].empty() ? "" : list_.sources[i] + ": ";
    try {
      read_image_size(path, image.image);
    } catch (const Error& e) {
      read.exists = fs::exists(path, failed);
      if (read.exists) {
        image.problems.push_back(source + e.message());
      } else {
        const std::string advice = path_advice(path);
        image.problems.push_back(str_cat(source, printable(path), " does not exist",
                                         advice.empty() ? "" : ": " + advice));
      }
      return read;
    }
    if (read.labels.empty()) return read;
    const std::string text = read_text(labels);
    if (const auto other = recognise_encoding(text)) {
      image.problems.push_back(str_cat(printable(labels), " ", other->what));
    } else {
      parse_yolo_labels(text, labels, format_, image);
    }
    return read;
  }

  [[noreturn]] void throw_no_images() const {
    const std::string source = list_.sources.front(), path = list_.paths.front().string();
    std::string hint = "correct the paths, or name the folder of the images with --images";
    if (!source.empty())
      hint = "was the list made on another machine? Relative paths start at the list's folder; " +
             hint;
    const std::string advice = path_advice(path);
    if (!advice.empty()) hint = str_cat(advice, "; ", hint);
    const auto count = static_cast<long long>(list_.paths.size());
    const std::string none = count == 1
                                 ? "the only image does not exist"
                                 : str_cat("not one of ", counted(count, "image"), " exists");
    throw Error(kFileMissing, str_cat(none, ": ", source, source.empty() ? "" : " names ", path),
                hint);
  }

  ImageList list_;
  YoloLabelFormat format_;
  size_t existing_ = 0;
  std::vector<std::pair<std::string, size_t>>
      labels_;  // each label file that is there, and the index of its image
};

}  // namespace

Annotations read_yolo(const fs::path& path, const std::string& split, const fs::path& images,
                      ThreadPool& pool) {
  const DataYaml yaml(path);
  ImageList list = find_images(yaml, split, images, pool);
  std::vector<DataNote> notes;
  append_note(notes, find_unused_labels(list));
  std::ranges::move(list.unused.notes(), std::back_inserter(notes));
  const fs::path folder = list.folder;
  Reader reader(yaml, std::move(list));
  AnnotationSet coco = coco_from_folder(yaml.categories(), reader.read_all(pool), path);
  append_note(notes, reader.shared_labels());
  return {std::move(coco), folder, std::move(notes)};
}

}  // namespace dfine::inline formats
