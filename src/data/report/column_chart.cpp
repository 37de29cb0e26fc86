#include "data/report/column_chart.h"

#include <algorithm>

#include "core/text.h"
#include "html/html_text.h"

namespace dfine::inline report {

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

}  // namespace dfine::inline report
