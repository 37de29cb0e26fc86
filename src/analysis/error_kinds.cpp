#include "analysis/error_kinds.h"

#include <algorithm>

#include "analysis/average_precision.h"

namespace dfine::inline analysis {
namespace {

class Corrector {
 public:
  Corrector(const Inputs& in, const ErrorSearch& found, ThreadPool& pool)
      : in_(in), found_(found), pool_(pool) {}

  double as_found() const {
    auto classes = without_detections();
    for (const JudgedDetection& judged : found_.judged)
      push(classes, label(judged.detection), score(judged.detection), judged.is_true);
    return mean_average_precision(std::move(classes), pool_);
  }

  // Where scores tie, errors come before true positives from here on: tidecv adds them first.

  double corrected(ErrorKind kind) const {
    auto classes = without_detections();
    for (const FalseDetection& error : found_.errors) {
      if (error.kind != kind) {
        if (error.counts) push(classes, label(error.detection), score(error.detection), false);
      } else if (error.correct_class != kNoIndex) {
        push(classes, error.correct_class, score(error.detection), true);
      }
    }
    push_true_positives(classes);
    if (kind == ErrorKind::kMissed) {
      for (size_t k = 0; k < classes.size(); ++k) classes[k].positives -= found_.missed[k];
    }
    return mean_average_precision(std::move(classes), pool_);
  }

  double without_false_positives() const {
    auto classes = without_detections();
    for (const FalseDetection& error : found_.errors) {
      if (error.counts) push(classes, label(error.detection), 0, false);
    }
    for (const JudgedDetection& judged : found_.judged) {
      if (judged.is_true) push(classes, label(judged.detection), 1, true);
    }
    return mean_average_precision(std::move(classes), pool_);
  }

  double without_false_negatives() const {
    auto classes = without_detections();
    for (const FalseDetection& error : found_.errors) {
      if (error.counts) push(classes, label(error.detection), score(error.detection), false);
    }
    push_true_positives(classes);
    for (size_t k = 0; k < classes.size(); ++k) classes[k].positives -= found_.untaken[k];
    return mean_average_precision(std::move(classes), pool_);
  }

 private:
  using Classes = std::vector<ClassDetections>;

  Classes without_detections() const {
    Classes classes(in_.classes());
    for (size_t k = 0; k < classes.size(); ++k) classes[k].positives = found_.positives[k];
    return classes;
  }
  void push_true_positives(Classes& classes) const {
    for (const JudgedDetection& judged : found_.judged) {
      if (judged.is_true) push(classes, label(judged.detection), score(judged.detection), true);
    }
  }
  static void push(Classes& classes, uint32_t label, double score, bool is_true) {
    classes[label].detections.push_back({.score = score, .is_true = is_true});
  }
  uint32_t label(uint32_t detection) const { return in_.detection_class[detection]; }
  double score(uint32_t detection) const { return in_.detections[detection].score; }

  const Inputs& in_;
  const ErrorSearch& found_;
  ThreadPool& pool_;
};

}  // namespace

std::string_view name_of(ErrorKind kind) {
  constexpr std::array<std::string_view, kErrorKinds> kNames{
      "classification", "localisation", "both", "duplicate", "background", "missed"};
  return kNames[static_cast<size_t>(kind)];
}

ErrorKinds error_kinds(const Inputs& in, const ImageLists& lists, ThreadPool& pool) {
  const ErrorSearch found = search_errors(in, lists);
  const Corrector corrector(in, found, pool);
  ErrorKinds out;
  out.ap = corrector.as_found();
  for (const FalseDetection& error : found.errors)
    ++out.kinds[static_cast<size_t>(error.kind)].count;
  for (const int64_t missed : found.missed)
    out.kinds[static_cast<size_t>(ErrorKind::kMissed)].count += missed;
  for (size_t kind = 0; kind < kErrorKinds; ++kind) {
    out.kinds[kind].ap = std::max(0.0, corrector.corrected(static_cast<ErrorKind>(kind)) - out.ap);
  }
  out.false_positives = corrector.without_false_positives() - out.ap;
  out.false_negatives = corrector.without_false_negatives() - out.ap;
  return out;
}

}  // namespace dfine::inline analysis
