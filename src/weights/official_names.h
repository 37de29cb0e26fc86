#pragma once
// How the official code (Peterande/D-FINE, and DEIM with the same models) names the tensors of
// D-FINE, and how the published Hugging Face files do.
#include <string>
#include <vector>

namespace dfine::inline weights {

/// The published names of the official tensor `name`: one, or three for a joined matrix of query,
/// key and value, in this order. None for what published files do not have: tensors that stand
/// there twice or follow from the image size (is_derived_official). A name that no official model
/// has is its own published name.
std::vector<std::string> published_names(const std::string& name);

/// The official name of a published one; of a query, key or value projection that of the joined
/// matrix. A name that no published file has stays as it is.
std::string official_name(const std::string& published);

/// decoder.anchors and valid_mask, which follow from the image size, and decoder.decoder.up and
/// reg_scale, which are those of decoder.
bool is_derived_official(const std::string& name);

}  // namespace dfine::inline weights
