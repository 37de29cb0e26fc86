#include "weights/class_heads.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numeric>
#include <sstream>

#include "classes/class_names.h"
#include "core/error.h"
#include "core/text.h"
#include "model/initializer.h"

namespace dfine::inline weights {
namespace {

constexpr size_t kMostLines = 40;
constexpr double kPrior = 0.01;  // official probability of a new class

std::vector<int64_t> all_new(size_t classes) {
  return std::vector<int64_t>(classes, kNoClass);
}

std::vector<int64_t> as_they_stand(size_t classes) {
  std::vector<int64_t> rows(classes);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

std::string table(const std::vector<std::string>& wanted, const std::vector<std::string>& given,
                  const std::vector<int64_t>& rows) {
  const size_t lines = std::min(wanted.size(), kMostLines);
  size_t width = 0;
  for (size_t i = 0; i < lines; ++i) width = std::max(width, wanted[i].size());
  std::ostringstream out;
  for (size_t i = 0; i < lines; ++i) {
    out << "\n  " << wanted[i] << std::string(width - wanted[i].size() + 2, ' ')
        << (rows[i] == kNoClass ? "new" : given[static_cast<size_t>(rows[i])]);
  }
  if (lines < wanted.size()) {
    const auto fresh =
        std::count(rows.begin() + static_cast<std::ptrdiff_t>(lines), rows.end(), kNoClass);
    const auto rest = static_cast<int64_t>(wanted.size() - lines);
    out << "\n  and " << rest << " more, " << rest - fresh << " from the weights, " << fresh
        << " new";
  }
  return out.str();
}

ClassHeadRemap by_name(const std::vector<std::string>& wanted,
                       const std::vector<std::string>& given) {
  ClassHeadRemap result;
  const std::vector<std::string> known = known_class_names(given);
  if (!known.empty()) {
    result.rows = match_class_names(wanted, known);
    const auto found = static_cast<int64_t>(wanted.size()) -
                       std::count(result.rows.begin(), result.rows.end(), kNoClass);
    result.report = str_cat("class heads by name: ", found, " of ", wanted.size(),
                            " classes are known to the weights", table(wanted, known, result.rows));
    if (found == 0 && wanted.size() == given.size()) {
      result.warning = str_cat(
          "none of the ", wanted.size(),
          " classes has the name of one of the weights', so that all class heads are new. If ",
          "they are the same classes under other names, set model.class_heads = \"by_index\"");
    }
  } else if (wanted.size() == given.size()) {
    result.rows = as_they_stand(wanted.size());
    result.report =
        str_cat("class heads unchanged: the weights do not name their ", given.size(), " classes");
    result.warning = str_cat("the weights do not name their ", given.size(),
                             " classes; as the data has as many, they are taken to be the same ",
                             "in the same order. If they are not, set model.class_heads = \"new\"");
  } else {
    result.rows = all_new(wanted.size());
    result.report = str_cat("class heads all new: the weights do not name their ", given.size(),
                            " classes, the data has ", wanted.size());
  }
  return result;
}

ClassHeadRemap by_index(const std::vector<std::string>& wanted,
                        const std::vector<std::string>& given) {
  if (wanted.size() != given.size()) {
    throw Error(ErrorCode::kClassMismatch,
                str_cat("model.class_heads = \"by_index\", but the weights have ", given.size(),
                        " classes, the data ", wanted.size()),
                "set model.class_heads = \"by_name\"");
  }
  ClassHeadRemap result;
  result.rows = as_they_stand(wanted.size());
  result.report =
      str_cat("class heads by index, in their order", table(wanted, given, result.rows));
  return result;
}

}  // namespace

ClassHeadRemap class_rows(ClassHeads policy, const std::vector<std::string>& wanted,
                          const std::vector<std::string>& given) {
  ClassHeadRemap result;
  switch (policy) {
    case ClassHeads::kByName:
      result = by_name(wanted, given);
      break;
    case ClassHeads::kByIndex:
      result = by_index(wanted, given);
      break;
    case ClassHeads::kNew:
      result.rows = all_new(wanted.size());
      result.report = "class heads all new, as model.class_heads says";
  }
  result.given = static_cast<int64_t>(given.size());
  return result;
}

bool is_class_head(const std::string& name) {
  return name.starts_with("model.enc_score_head.") ||
         name.starts_with("model.decoder.class_embed.") || is_denoising_embed(name);
}

bool is_denoising_embed(const std::string& name) {
  return name == "model.denoising_class_embed.weight";
}

bool has_rows_for(const std::string& name, at::IntArrayRef sizes, int64_t classes) {
  return !sizes.empty() && sizes[0] == classes + (is_denoising_embed(name) ? 1 : 0);
}

void copy_class_rows(const std::string& name, const Tensor& to, const Tensor& from,
                     const ClassHeadRemap& rows) {
  const at::NoGradGuard no_grad;
  if (name.ends_with(".bias")) to.fill_(prior_bias(kPrior));
  for (size_t label = 0; label < rows.rows.size(); ++label)
    if (rows.rows[label] != kNoClass) to[static_cast<int64_t>(label)].copy_(from[rows.rows[label]]);
  if (is_denoising_embed(name)) to[-1].copy_(from[-1]);
}

}  // namespace dfine::inline weights
