#pragma once
#include <string>

#include "core/error.h"

namespace dfine {

/// What the Error that `body` throws says; "no error" if it throws none.
template <class Body>
std::string error_of(Body body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace dfine
