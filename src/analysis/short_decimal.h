#pragma once

namespace dfine::inline analysis {

/// The decimal number with the fewest digits after the point in (above, upto], the largest of
/// those. If none with up to 17 digits is in there, `upto` itself. Read back from JSON it is the
/// same double, and it separates the same scores. For above < upto.
double short_decimal(double above, double upto);

}  // namespace dfine::inline analysis
