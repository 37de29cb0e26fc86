#include "data/report/html.h"

#include <algorithm>

#include "core/printable.h"
#include "core/text.h"

namespace dfine::inline report {

std::string html_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    const std::string_view letter = text.substr(0, std::max<size_t>(length, 1));
    text.remove_prefix(letter.size());
    const auto code = static_cast<unsigned char>(letter[0]);
    if (length == 0 || code < 0x20 || code == 0x7F) {
      out += "\xEF\xBF\xBD";
    } else if (code == '&') {
      out += "&amp;";
    } else if (code == '<') {
      out += "&lt;";
    } else if (code == '>') {
      out += "&gt;";
    } else if (code == '"') {
      out += "&quot;";
    } else if (code == '\'') {
      out += "&#39;";
    } else {
      out += letter;
    }
  }
  return out;
}

std::string column_chart(std::vector<Bar> bars, const std::string& what) {
  while (!bars.empty() && bars.back().count == 0) bars.pop_back();
  bars.erase(bars.begin(),
             std::ranges::find_if(bars, [](const Bar& bar) { return bar.count > 0; }));
  if (bars.empty()) return "<p class=none>none</p>\n";
  constexpr double kWidth = 560, kHeight = 150, kTop = 18, kBottom = 20;
  const size_t most = std::ranges::max_element(bars, {}, &Bar::count)->count;
  const double step = kWidth / static_cast<double>(bars.size()),
               width = std::min(step * 0.72, 60.0);
  std::string out =
      str_cat("<svg class=chart viewBox=\"0 0 ", kWidth, " ", kTop + kHeight + kBottom,
              "\" role=img aria-label=\"", html_text(what), "\">\n");
  out += str_cat("<line class=axis x1=0 x2=", kWidth, " y1=", kTop + kHeight,
                 " y2=", kTop + kHeight, " />\n");
  for (size_t k = 0; k < bars.size(); ++k) {
    const double middle = step * (static_cast<double>(k) + 0.5);
    const double height =
        std::max(kHeight * static_cast<double>(bars[k].count) / static_cast<double>(most),
                 bars[k].count > 0 ? 1.5 : 0.0);
    const std::string count = with_commas(static_cast<long long>(bars[k].count));
    out += str_cat("<g><title>", html_text(bars[k].label), ": ", count, "</title>");
    if (bars[k].count > 0) {
      out += str_cat("<rect class=bar rx=2 x=", fixed(middle - width / 2, 1),
                     " y=", fixed(kTop + kHeight - height, 1), " width=", fixed(width, 1),
                     " height=", fixed(height, 1), " />");
      out += str_cat("<text class=value x=", fixed(middle, 1),
                     " y=", fixed(kTop + kHeight - height - 5, 1), ">", count, "</text>");
    }
    out += str_cat("<text class=label x=", fixed(middle, 1), " y=", kTop + kHeight + 15, ">",
                   html_text(bars[k].label), "</text></g>\n");
  }
  return out + "</svg>\n";
}

const char* report_style() {
  return R"(
:root {
  color-scheme: light dark; --back: #f6f7f9; --card: #fff; --text: #1c2430; --soft: #5d6878;
  --line: #dde2e9; --bar: #2f6fdb; --track: #e8edf5;
  --warn: #a15c00; --warn-back: #fff4e0; --good: #1d7a45;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #12161c; --card: #1b2129; --text: #e6eaf0; --soft: #98a4b5;
    --line: #2d3642; --bar: #5b97f5; --track: #27303b;
    --warn: #f3b661; --warn-back: #33291a; --good: #66c48f;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { margin: 0 0 4px; font-size: 28px; letter-spacing: -0.01em; }
h2 { margin: 0 0 4px; font-size: 16px; }
p { margin: 0 0 8px; }
.soft, .none { color: var(--soft); }
section .soft { font-size: 13px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px;
  margin: 24px 0 12px; }
.fact, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.fact { padding: 14px 16px; }
.fact b { display: block; font-size: 24px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.fact span { color: var(--soft); font-size: 13px; }
.columns { display: grid; gap: 12px;
  grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr)); }
section { padding: 18px 20px; margin: 0; min-width: 0; }
.wide { margin-top: 12px; }
.chart { display: block; width: 100%; height: auto; }
.axis { stroke: var(--line); }
.bar { fill: var(--bar); }
.value { fill: var(--text); font-size: 11px; text-anchor: middle; }
.label { fill: var(--soft); font-size: 11px; text-anchor: middle; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 500; font-size: 13px; text-align: right; padding: 4px 8px;
  border-bottom: 1px solid var(--line); }
td { padding: 5px 8px; text-align: right; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; }
th:first-child, td:first-child { text-align: left; padding-left: 0; overflow-wrap: anywhere; }
.track { width: 30%; padding-right: 0; }
.track div { background: var(--track); border-radius: 3px; height: 10px; }
@media (max-width: 560px) { main { padding: 20px 12px 40px; } .track { display: none; } }
.track i { display: block; background: var(--bar); border-radius: 3px; height: 10px; }
.notes { list-style: none; margin: 0 0 12px; padding: 0; border-radius: 10px; overflow: hidden;
  border: 1px solid var(--line); }
.notes li { padding: 8px 16px; background: var(--warn-back); color: var(--warn); }
.notes li + li { border-top: 1px solid var(--line); }
.notes .good { background: var(--card); color: var(--good); }
.notes a { color: inherit; }
details { border-top: 1px solid var(--line); padding: 10px 0; }
details:last-of-type { padding-bottom: 0; }
summary { cursor: pointer; font-weight: 500; }
details ul { margin: 8px 0 0; padding-left: 20px; max-height: 420px; overflow: auto;
  font: 13px/1.6 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
)";
}

}  // namespace dfine::inline report
