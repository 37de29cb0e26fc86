#pragma once
// A chart of the report that needs no script.
#include <string>
#include <vector>

namespace dfine::inline report {

struct Bar {
  std::string label;
  size_t count = 0;
};

/// A column chart as inline SVG; empty bars at either end are dropped. `what`: of what the counts
/// are, for readers that speak.
std::string column_chart(std::vector<Bar> bars, const std::string& what);

}  // namespace dfine::inline report
