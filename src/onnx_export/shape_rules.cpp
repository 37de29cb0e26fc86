#include <algorithm>
#include <limits>
#include <numeric>

#include "onnx_export/rules.h"

namespace dfine::inline onnx_export {
namespace {

/// To the result's shape. Of reshapes in a row, the last one is enough.
void reshape(Operation& op) {
  std::string from = op.tensor(op.has("self") ? "self" : "input");
  const OnnxNode* const before = op.graph().producer(from);
  if (before != nullptr && before->type == "Reshape") from = before->inputs[0];
  op.result("Reshape", {from, op.graph().add_integers(op.free_result_shape())});
}

void permute(Operation& op) {
  const Shape order = op.integers("dims");
  op.require(std::ranges::all_of(order, [](int64_t d) { return d >= 0; }),
             "a dimension counts from the end");
  op.result("Transpose", {op.tensor("self")}, {{"perm", order}});
}

void transpose(Operation& op) {
  Shape order(op.shape("self").size());
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<size_t>(op.dimension("dim0", order.size()))],
            order[static_cast<size_t>(op.dimension("dim1", order.size()))]);
  op.result("Transpose", {op.tensor("self")}, {{"perm", order}});
}

void take_range(Operation& op, int64_t start, int64_t end, int64_t dimension) {
  OnnxGraph& graph = op.graph();
  op.result("Slice", {op.tensor("self"), graph.add_integers({start}), graph.add_integers({end}),
                      graph.add_integers({dimension})});
}

void narrow(Operation& op) {
  const int64_t start = op.integer("start");
  take_range(op, start, start + op.integer("length"), op.integer("dim"));
}

void slice(Operation& op) {
  op.require(op.integer("step") == 1, "it leaves elements out");
  const int64_t start = op.is_none("start") ? 0 : op.integer("start");
  const int64_t end = op.is_none("end") ? std::numeric_limits<int64_t>::max() : op.integer("end");
  if (op.shape("self") == op.result_shape()) return op.result(op.tensor("self"));
  take_range(op, start, end, op.integer("dim"));
}

void select(Operation& op) {
  const Shape from = op.shape("self");
  const int64_t dimension = op.dimension("dim", from.size());
  if (from[static_cast<size_t>(dimension)] == 1) return reshape(op);
  op.result("Gather",
            {op.tensor("self"), op.scalar(static_cast<double>(op.integer("index")), at::kLong)},
            {{"axis", dimension}});
}

void expand(Operation& op) {
  // 1 keeps a size, whatever it is.
  const Shape from = op.shape("self"), to = op.result_shape();
  Shape sizes = op.free_result_shape();
  const size_t added = to.size() - from.size();
  for (size_t i = added; i < to.size(); ++i)
    if (from[i - added] == to[i]) sizes[i] = 1;
  op.require(std::ranges::count(sizes, kBatchSize) == 0, "it repeats something for each image");
  op.result("Expand", {op.tensor("self"), op.graph().add_integers(sizes)});
}

void cat(Operation& op) {
  op.result("Concat", op.tensors("tensors"), {{"axis", op.integer("dim")}});
}

void chunk(Operation& op) {
  const Shape from = op.shape("self");
  const int64_t count = op.integer("chunks"), dimension = op.dimension("dim", from.size());
  op.require(from[static_cast<size_t>(dimension)] % count == 0, "its parts are not equal");
  const std::string whole = op.tensor("self");
  op.result_list(op.graph().add_node(
      "Split", {whole}, {{"axis", dimension}},
      std::vector<at::ScalarType>(static_cast<size_t>(count), op.graph().type_of(whole))));
}

void gather(Operation& op) {
  op.result("GatherElements", {op.tensor("self"), op.tensor("index")},
            {{"axis", op.integer("dim")}});
}

/// By one tensor of indices, in the first dimension.
void index(Operation& op) {
  const Names indices = op.tensors("indices");
  op.require(indices.size() == 1 && op.graph().type_of(indices[0]) == at::kLong,
             "it is not by one tensor of integers");
  op.result("Gather", {op.tensor("self"), indices[0]}, {{"axis", int64_t{0}}});
}

void topk(Operation& op) {
  const std::string values = op.tensor("self");
  op.results(op.graph().add_node("TopK", {values, op.graph().add_integers({op.integer("k")})},
                                 {{"axis", op.integer("dim")},
                                  {"largest", int64_t{op.flag("largest")}},
                                  {"sorted", int64_t{op.flag("sorted")}}},
                                 {op.graph().type_of(values), at::kLong}));
}

}  // namespace

Rules shape_rules() {
  return {
      {"view", reshape},    {"reshape", reshape}, {"flatten", reshape},     {"unsqueeze", reshape},
      {"squeeze", reshape}, {"permute", permute}, {"transpose", transpose}, {"narrow", narrow},
      {"slice", slice},     {"select", select},   {"expand", expand},       {"cat", cat},
      {"chunk", chunk},     {"gather", gather},   {"index", index},         {"topk", topk}};
}

}  // namespace dfine::inline onnx_export
