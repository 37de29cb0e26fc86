#include "core/log.h"

#include <gtest/gtest.h>

#include <string>

namespace dfine {
namespace {

/// What is printed of one message of each kind, by their first words.
std::string said_by(int rank) {
  log::set_rank(rank);
  testing::internal::CaptureStderr();
  log::info("info");
  log::warn("warn");
  log::local_info("local info");
  log::local_warn("local warn");
  log::error("error");
  const std::string text = testing::internal::GetCapturedStderr();
  log::set_rank(0);
  log::set_prefix("");
  std::string said;
  const std::string prefix = "[rank " + std::to_string(rank) + "] ";
  for (size_t at = text.find(prefix); at != text.npos; at = text.find(prefix, at + 1)) {
    const size_t from = at + prefix.size();
    said += text.substr(from, text.find('\n', from) - from) + "; ";
  }
  return said;
}

TEST(Log, WhatAllRanksWouldSayIsPrintedByRankZero) {
  EXPECT_EQ(said_by(0), "info; warn; local info; local warn; error; ");
  EXPECT_EQ(said_by(2), "local info; local warn; error; ");
}

}  // namespace
}  // namespace dfine
