#include "onnx_export/converter.h"

#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "onnx_export/operation.h"
#include "onnx_export/rules.h"

namespace dfine::inline onnx_export {
namespace {

using torch::jit::Graph;
using torch::jit::Node;

// Neither is 1, which broadcasts.
constexpr int64_t kFirstBatch = 2, kSecondBatch = 3;

void pair_values(Conversion& conversion, const Node* first, const Node* second) {
  if (first->kind() != second->kind() || first->outputs().size() != second->outputs().size())
    throw unsupported(str_cat("with another batch size, ", first->kind().toQualString(),
                              " becomes ", second->kind().toQualString()));
  for (size_t i = 0; i < first->outputs().size(); ++i)
    conversion.in_second[first->output(i)] = second->output(i);
}

void convert_node(Conversion& conversion, const Node* node) {
  if (node->kind() == torch::jit::prim::ListConstruct) {
    Names& list = conversion.lists[node->output()];
    for (const auto* input : node->inputs()) list.push_back(conversion.name_of(input));
    return;
  }
  if (node->kind() == torch::jit::prim::ListUnpack) {
    const Names& list = conversion.lists.at(node->input());
    for (size_t i = 0; i < list.size(); ++i) conversion.names[node->output(i)] = list[i];
    return;
  }
  const std::string_view name = node->kind().toUnqualString();
  const auto rule = all_rules().find(name);
  if (!node->kind().is_aten() || rule == all_rules().end())
    throw unsupported(
        str_cat("the operator ", node->kind().toQualString(), " has no rule to write it in ONNX"));
  Operation operation(conversion, node);
  rule->second(operation);
}

}  // namespace

OnnxGraph convert(const BatchComputation& c) {
  c.computation(c.inputs(kFirstBatch));  // fills caches, so that both recordings find them filled
  const auto first = record(c.computation, c.inputs(kFirstBatch)),
             second = record(c.computation, c.inputs(kSecondBatch));
  Conversion conversion;
  for (size_t i = 0; i < c.input_names.size(); ++i) {
    const auto* const value = first->inputs()[i];
    conversion.in_second[value] = second->inputs()[i];
    conversion.names[value] = conversion.graph.add_input(
        {c.input_names[i], *value->type()->expectRef<c10::TensorType>().scalarType(),
         free_shape(conversion, value)});
  }
  auto other = second->nodes().begin();
  for (Node* const node : first->nodes()) {
    if (other == second->nodes().end())
      throw unsupported("with another batch size, fewer operators run");
    pair_values(conversion, node, *other);
    const bool known = conversion.known.evaluate(node);
    conversion.known_of_second.evaluate(*other);
    ++other;
    if (!known) convert_node(conversion, node);
  }
  if (other != second->nodes().end())
    throw unsupported("with another batch size, more operators run");
  for (size_t i = 0; i < c.output_names.size(); ++i) {
    const auto* const value = first->outputs()[i];
    conversion.in_second.try_emplace(value, second->outputs()[i]);
    conversion.graph.add_output(conversion.name_of(value), c.output_names[i],
                                free_shape(conversion, value));
  }
  conversion.graph.prune();
  return std::move(conversion.graph);
}

}  // namespace dfine::inline onnx_export
