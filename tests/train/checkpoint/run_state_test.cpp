#include "train/checkpoint/run_state.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "support/raises.h"
#include "train/checkpoint/busy_run.h"
#include "train/checkpoint/run_state_json.h"

namespace dfine {
using enum ErrorCode;
namespace {

RunState after(int64_t step) {
  RunState state;
  state.step = step;
  state.epoch = step / 5;
  return state;
}

TEST(RunState, ABestNeedsABetterFigure) {
  RunState state = after(5);
  EXPECT_TRUE(state.validated(Monitor::kAp, {.ap = 0, .val_loss = 3}));
  EXPECT_EQ(state.best->epoch, 0);
  state.step = 10;
  state.epoch = 2;
  EXPECT_FALSE(state.validated(Monitor::kAp, {.ap = 0, .val_loss = 3}));
  EXPECT_EQ(state.best->step, 5);
  // Both AP zero, as in the first epochs.
  EXPECT_TRUE(state.validated(Monitor::kAp, {.ap = 0, .val_loss = 2.9}));
  EXPECT_EQ(state.best->step, 10);
  EXPECT_EQ(state.best->epoch, 1);  // of the last step
  EXPECT_EQ(state.best->val_loss, 2.9);
  EXPECT_TRUE(state.validated(Monitor::kAp, {.ap = 0.1, .val_loss = 5}));
  EXPECT_EQ(state.best->value, 0.1);
  EXPECT_FALSE(state.validated(Monitor::kAp, {.ap = 0, .val_loss = 1}));
  EXPECT_FALSE(state.validated(Monitor::kAp, {.ap = NAN, .val_loss = 1}));
  EXPECT_EQ(state.val_loss, 1);  // the last one
  // Another metric: starts over.
  EXPECT_TRUE(state.validated(Monitor::kValLoss, {.ap = 0, .val_loss = 9}));
  EXPECT_EQ(state.best->value, 9);
  EXPECT_FALSE(state.validated(Monitor::kValLoss, {.ap = 1, .val_loss = 9}));
  EXPECT_TRUE(state.validated(Monitor::kValLoss, {.ap = 0, .val_loss = 8}));
}

// A validation pack without boxes has no AP.
TEST(RunState, WithoutAnyApTheLossDecides) {
  RunState state = after(5);
  EXPECT_TRUE(state.validated(Monitor::kAp, {.val_loss = 3}));
  EXPECT_FALSE(state.validated(Monitor::kAp, {.val_loss = 4}));
  EXPECT_FALSE(state.validated(Monitor::kAp, {.val_loss = NAN}));
  EXPECT_TRUE(state.validated(Monitor::kAp, {.val_loss = 2}));
}

// For train.patience.
TEST(RunState, CountsValidationsWithoutABest) {
  RunState state = after(5);
  const auto count_after = [&](double val_loss) {
    state.validated(Monitor::kValLoss, {.ap = 0, .val_loss = val_loss});
    return state.validations_without_best;
  };
  EXPECT_EQ(count_after(3), 0);
  EXPECT_EQ(count_after(4), 1);
  EXPECT_EQ(count_after(3), 2);
  EXPECT_EQ(count_after(NAN), 3);
  EXPECT_EQ(count_after(2), 0);
  EXPECT_EQ(count_after(2), 1);
}

TEST(RunState, TheEpochOfTheLastStep) {
  RunState state;
  EXPECT_EQ(state.last_epoch(), 0);  // before the first step
  state.epoch_samples = 4;
  EXPECT_EQ(state.last_epoch(), 0);
  state.epoch = 1, state.epoch_samples = 0;  // at its end
  EXPECT_EQ(state.last_epoch(), 0);
  state.epoch_samples = 4;
  EXPECT_EQ(state.last_epoch(), 1);
  state.epoch = 7, state.epoch_samples = 0;
  EXPECT_EQ(state.last_epoch(), 6);
}

TEST(WeightsKind, NamesAndBack) {
  for (const WeightsKind kind : {WeightsKind::kEma, WeightsKind::kRaw})
    EXPECT_EQ(to_weights_kind(weights_name(kind)), kind);
  EXPECT_TRUE(raises(kFileDamaged, [] { to_weights_kind("both"); }, "both"));
}

TEST(RunStateJson, ComesBack) {
  const RunState state = busy_run(12);
  expect_same(run_state_from_json(run_state_json(state)), state);
  RunState large;  // numbers at the ends of their range
  large.step = INT64_MAX;
  large.samples = INT64_MIN;
  large.minutes = 1e-300;
  large.val_loss = 0;
  expect_same(run_state_from_json(run_state_json(large)), large);
}

TEST(RunStateJson, SaysWhoWroteIt) {
  const auto json = nlohmann::json::parse(run_state_json(busy_run(12)));
  std::set<std::string> keys;
  for (const auto& item : json.at("written_by").items()) keys.insert(item.key());
  EXPECT_EQ(keys, (std::set<std::string>{"host", "job", "process", "program", "time"}));
  EXPECT_EQ(json.at("run").size(), 21U);  // RunState::entries
}

TEST(RunStateJson, WhatIsWrongIsNamed) {
  const auto good = nlohmann::json::parse(run_state_json(busy_run(12)));
  for (const auto& [key, value] : good.at("run").items()) {
    auto lacking = good;
    lacking.at("run").erase(key);
    EXPECT_TRUE(raises(kFileDamaged, [&] { run_state_from_json(lacking.dump()); }, key));
    auto wrong = good;
    wrong.at("run")[key] = nlohmann::json::array();
    EXPECT_TRUE(raises(kFileDamaged, [&] { run_state_from_json(wrong.dump()); }, key));
  }
  EXPECT_TRUE(raises(kFileDamaged, [] { run_state_from_json("{}"); }, "run"));
}

}  // namespace
}  // namespace dfine
