#pragma once
// Small pieces of the report's HTML.
#include <string>
#include <string_view>
#include <vector>

namespace dfine::inline report {

/// Text that a browser shows as it is: markup characters escaped, control characters and bytes that
/// are no UTF-8 as U+FFFD.
std::string html_text(std::string_view text);

struct Bar {
  std::string label;
  size_t count = 0;
};

/// A column chart as inline SVG; empty bars at either end are dropped. `what`: of what the counts
/// are, for readers that speak.
std::string column_chart(std::vector<Bar> bars, const std::string& what);

/// Style sheet of the report, light and dark.
const char* report_style();

}  // namespace dfine::inline report
