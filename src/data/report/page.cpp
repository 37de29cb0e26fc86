#include "data/report/page.h"

#include <algorithm>
#include <numeric>

#include "core/text.h"
#include "data/report/column_chart.h"
#include "html/html_page.h"
#include "html/html_text.h"

namespace dfine::inline report {
namespace {

std::string number(size_t count) {
  return with_commas(static_cast<long long>(count));
}

std::string fact(const std::string& value, const std::string& what) {
  return str_cat("<div class=fact><b>", value, "</b><span>", what, "</span></div>\n");
}

std::string section(const std::string& title, const std::string& hint, const std::string& body) {
  return str_cat("<section>\n<h2>", title, "</h2>\n",
                 hint.empty() ? "" : str_cat("<p class=soft>", hint, "</p>\n"), body,
                 "</section>\n");
}

/// Labels like "< 4", "4 – 8", ">= 1,024" with the counts.
template <size_t n, size_t m>
std::vector<Bar> bars_of(const std::array<std::string, n>& labels,
                         const std::array<size_t, m>& counts) {
  static_assert(n == m);
  std::vector<Bar> bars;
  for (size_t k = 0; k < n; ++k) bars.push_back({labels[k], counts[k]});
  return bars;
}

std::string class_table(const ReportData& data) {
  std::vector<size_t> order(data.classes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(
      order, [&](size_t a, size_t b) { return data.classes[a].boxes > data.classes[b].boxes; });
  const size_t most = std::max<size_t>(1, data.classes[order[0]].boxes);
  std::string rows =
      "<table>\n<tr><th>class</th><th>id</th><th>images</th><th>boxes</th><th>crowds</th><th "
      "class=track></th></tr>\n";
  for (const size_t label : order) {
    const auto& of_class = data.classes[label];
    rows += str_cat(
        "<tr><td>", html_text(data.categories[label].name), "</td><td>", data.categories[label].id,
        "</td><td>", number(of_class.images), "</td><td>", number(of_class.boxes), "</td><td>",
        number(of_class.crowds), "</td><td class=track><div><i style=\"width:",
        fixed(100.0 * static_cast<double>(of_class.boxes) / static_cast<double>(most), 2),
        "%\"></i></div></td></tr>\n");
  }
  return rows + "</table>\n";
}

std::string image_size_table(const ReportData& data) {
  constexpr size_t kRows = 8;
  std::vector<std::pair<std::pair<int32_t, int32_t>, size_t>> sizes(data.image_sizes.begin(),
                                                                    data.image_sizes.end());
  std::ranges::stable_sort(sizes, [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string rows =
      "<table>\n<tr><th>width x height</th><th>images</th><th class=track></th></tr>\n";
  for (size_t k = 0; k < std::min(kRows, sizes.size()); ++k) {
    rows += str_cat("<tr><td>", sizes[k].first.first, " x ", sizes[k].first.second, "</td><td>",
                    number(sizes[k].second), "</td><td class=track><div><i style=\"width:",
                    fixed(100.0 * static_cast<double>(sizes[k].second) /
                              static_cast<double>(std::max<size_t>(1, data.images)),
                          2),
                    "%\"></i></div></td></tr>\n");
  }
  rows += "</table>\n";
  if (sizes.size() > kRows)
    rows += str_cat("<p class=soft>and ", number(sizes.size() - kRows), " other sizes</p>\n");
  return rows;
}

/// A list that can be opened; nothing when it is empty.
std::string names(const std::string& id, const std::string& title, size_t count,
                  const std::vector<std::string>& first) {
  if (count == 0) return {};
  std::string out = str_cat("<details><summary>", title, "</summary><ul id=", id, ">\n");
  for (const std::string& name : first) out += str_cat("<li>", html_text(name), "</li>\n");
  if (count > first.size())
    out += str_cat("<li>and ", number(count - first.size()), " more</li>\n");
  return out + "</ul></details>\n";
}

template <class Item, class Text>
std::vector<std::string> first_texts(const std::vector<Item>& items, Text text) {
  std::vector<std::string> texts;
  for (size_t k = 0; k < std::min(items.size(), NameList::kKept); ++k)
    texts.push_back(text(items[k]));
  return texts;
}

/// One thing that deserves a look: the line at the top, and the list below.
struct Finding {
  std::string line, list;
};

std::vector<Finding> findings(const ReportPage& page) {
  std::vector<Finding> found;
  const auto add = [&](const std::string& id, size_t count, const std::string& line,
                       const std::vector<std::string>& first) {
    if (count > 0)
      found.push_back({str_cat("<a href=#", id, ">", line, "</a>"), names(id, line, count, first)});
  };
  for (size_t k = 0; k < page.shared.size(); ++k) {
    const SharedImages& shared = page.shared[k];
    add(str_cat("shared-", k), shared.images.size(),
        str_cat(counted(shared.images.size(), "image is", "images are"), " in ",
                html_text(shared.pack),
                " too, byte for byte: metrics measured there would flatter the model"),
        first_texts(shared.images, [](const auto& pair) {
          return pair.here == pair.there ? pair.here
                                         : str_cat(pair.here, " is ", pair.there, " there");
        }));
  }
  for (size_t k = 0; k < page.notes.size(); ++k) {
    const DataNote& note = page.notes[k];
    add(str_cat("note-", k), note.count, str_cat(note.what, ": ", number(note.count)), note.first);
  }
  add("duplicates", page.duplicates.size(),
      counted(page.duplicates.size(), "group of equal image files", "groups of equal image files"),
      first_texts(page.duplicates, [](const std::vector<std::string>& group) {
        std::string text;
        for (const std::string& name : group) text += str_cat(text.empty() ? "" : " = ", name);
        return text;
      }));
  add("skipped", page.skipped.size(),
      counted(page.skipped.size(), "problem: the image was skipped",
              "problems: the images were skipped"),
      first_texts(page.skipped, [](const std::string& line) { return line; }));
  const ReportData& data = page.data;
  add("dropped", data.dropped.count,
      counted(data.dropped.count, "box has no area inside its image: training does not see it",
              "boxes have no area inside their image: training does not see them"),
      data.dropped.first);
  add("clipped", data.clipped.count,
      counted(data.clipped.count, "box was clipped to its image",
              "boxes were clipped to their images"),
      data.clipped.first);
  add("empty", data.empty_images.count,
      counted(data.empty_images.count, "image has no box to train on",
              "images have no box to train on"),
      data.empty_images.first);
  std::vector<std::string> unused;
  for (size_t label = 0; label < data.classes.size(); ++label) {
    if (data.classes[label].boxes == 0) unused.push_back(data.categories[label].name);
  }
  add("unused", unused.size(), counted(unused.size(), "class has no box", "classes have no box"),
      unused);
  if (page.counts.oriented > 0) {
    found.push_back(
        {str_cat(counted(page.counts.oriented, "image carries", "images carry"),
                 " an EXIF orientation, which is not applied: check that the boxes fit the "
                 "stored pixels"),
         ""});
  }
  return found;
}

std::string checks(const ReportPage& page, std::string& lists) {
  std::string out = "<ul class=notes>\n";
  for (const DataWarning& warning : page.warnings) {
    out +=
        str_cat("<li><b>", html_text(warning.text), "</b>: ", html_text(warning.advice), "</li>\n");
  }
  const std::vector<Finding> found = findings(page);
  for (const Finding& finding : found) {
    out += str_cat("<li>", finding.line, "</li>\n");
    lists += finding.list;
  }
  if (found.empty() && page.warnings.empty())
    out +=
        "<li class=good>Nothing to look at: no box was changed, and no image is there "
        "twice.</li>\n";
  for (const SharedImages& shared : page.shared) {
    if (shared.images.empty())
      out += str_cat("<li class=good>No image is in ", html_text(shared.pack), " too.</li>\n");
  }
  return out + "</ul>\n";
}

std::string charts(const ReportData& data) {
  const std::string en = "\xE2\x80\x93";  // U+2013
  const std::array<std::string, 10> sizes{"< 4",
                                          "4" + en + "8",
                                          "8" + en + "16",
                                          "16" + en + "32",
                                          "32" + en + "64",
                                          "64" + en + "128",
                                          "128" + en + "256",
                                          "256" + en + "512",
                                          "512" + en + "1024",
                                          "1024 +"};
  const std::array<std::string, 8> aspects{"< 1:8",
                                           "1:8" + en + "1:4",
                                           "1:4" + en + "1:2",
                                           "1:2" + en + "1:1",
                                           "1:1" + en + "2:1",
                                           "2:1" + en + "4:1",
                                           "4:1" + en + "8:1",
                                           "8:1 +"};
  const std::array<std::string, 11> per_image{"0",
                                              "1",
                                              "2",
                                              "3" + en + "4",
                                              "5" + en + "8",
                                              "9" + en + "16",
                                              "17" + en + "32",
                                              "33" + en + "64",
                                              "65" + en + "128",
                                              "129" + en + "256",
                                              "257 +"};
  const std::array<std::string, 3> areas{"small: below 32\xC2\xB2", "medium: to 96\xC2\xB2",
                                         "large"};
  std::string out = "<div class=columns>\n";
  out += section("Box size", "square root of width x height, in pixels",
                 column_chart(bars_of(sizes, data.sizes), "boxes by size"));
  out += section("COCO size groups",
                 "by area, as the evaluation's AP small, medium and large count them",
                 column_chart(bars_of(areas, data.coco_areas), "boxes by COCO size group"));
  out += section("Aspect ratio", "width : height of boxes",
                 column_chart(bars_of(aspects, data.aspects), "boxes by aspect ratio"));
  out += section("Boxes per image", "number of images by their number of boxes to train on",
                 column_chart(bars_of(per_image, data.per_image), "images by number of boxes"));
  return out + "</div>\n";
}

}  // namespace

std::string render(const ReportPage& page) {
  const ReportData& data = page.data;
  const std::string title = page.set.empty() ? "Pack report" : "Pack report: " + page.set;
  std::string lists, out = str_cat("<main>\n<h1>", title,
                                   "</h1>\n<p class=soft>Written by dfine-pack beside the "
                                   "shards.</p>\n");
  out += str_cat(
      "<div class=facts>\n", fact(number(data.images), "images"),
      fact(number(data.boxes), "boxes to train on"),
      fact(number(data.categories.size()), "classes"),
      fact(data.images == 0
               ? "0"
               : fixed(static_cast<double>(data.boxes) / static_cast<double>(data.images), 1),
           "boxes per image"),
      fact(number(data.empty_images.count), "images without boxes"),
      fact(number(data.crowds), "crowd regions"),
      fact(human_bytes(static_cast<double>(data.image_bytes)),
           str_cat("of image files in ", counted(page.shards, "shard", "shards"))),
      "</div>\n");
  out += checks(page, lists);
  out += charts(data);
  out += "<div class=\"columns wide\">\n" +
         section("Classes", "most frequent first", class_table(data)) +
         section("Image sizes", "", image_size_table(data)) + "</div>\n";
  if (!lists.empty())
    out +=
        "<div class=wide>" +
        section("File names", str_cat("the first ", number(NameList::kKept), " of each"), lists) +
        "</div>\n";
  return render_page({.title = title,
                      .styles = {},
                      .body = out + "</main>\n",
                      .scripts = {},
                      .style_attributes = true});
}

}  // namespace dfine::inline report
