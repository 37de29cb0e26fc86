#pragma once
// Class heads (enc_score_head, decoder.class_embed.*, denoising_class_embed) from weights that were
// made for other classes: row by row.
#include <cstdint>
#include <string>
#include <vector>

#include "config/choices.h"
#include "tensor.h"

namespace dfine::inline weights {

/// Which row of the weights' class heads each class of the model starts from.
struct ClassHeadRemap {
  std::vector<int64_t> rows;  // [C of the model]; kNoClass: a new row
  int64_t given = 0;          // classes of the weights
  std::string report;   // for people: a table of the data's classes and where their rows come from
  std::string warning;  // what is likely not meant; empty if nothing
};

/// Rows for data with `wanted` classes from weights whose classes describe_weights() calls `given`:
/// - kByName: those of the classes with the same name (classes/class_names.h), new ones for the
/// rest.
///   Where the weights name no classes: rows in their order if there are as many, with a warning,
///   else all new.
/// - kByIndex: in their order; another number of classes is an Error.
/// - kNew: all new.
ClassHeadRemap class_rows(ClassHeads policy, const std::vector<std::string>& wanted,
                          const std::vector<std::string>& given);

bool is_class_head(const std::string& name);
bool is_denoising_embed(const std::string& name);

/// Whether the class head `name` of shape `sizes` has a row for each of `classes` classes
/// (denoising_class_embed: and one for padding).
bool has_rows_for(const std::string& name, at::IntArrayRef sizes, int64_t classes);

/// Copies the rows of the class head `name` from the weights' tensor `from` into `to`. New rows
/// keep what is in `to`, those of a bias become prior_bias(0.01). denoising_class_embed's last row,
/// for padding, comes from the last row.
void copy_class_rows(const std::string& name, const Tensor& to, const Tensor& from,
                     const ClassHeadRemap& rows);

}  // namespace dfine::inline weights
