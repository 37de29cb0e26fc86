#include "onnx_export/operation.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline onnx_export {
namespace {

using torch::jit::Value;

Shape concrete_shape(const Value* value) {
  const auto type = value->type()->cast<c10::TensorType>();
  const auto sizes = type ? type->sizes().concrete_sizes() : std::nullopt;
  if (!sizes)
    throw Error(ErrorCode::kInternal, str_cat("no shape was recorded for ", value->debugName()));
  return *sizes;
}

}  // namespace

Error unsupported(const std::string& message) {
  return Error(ErrorCode::kInternal, message,
               "this is a gap of dfine-export, not of your weights: report it with this message");
}

const c10::IValue& Conversion::known_value(const Value* value) const {
  if (!known.has(value)) throw unsupported(str_cat(value->debugName(), " depends on the inputs"));
  const c10::IValue& mine = known.at(value);
  const Value* const twin = in_second.at(value);
  if (!known_of_second.has(twin) || !same_value(mine, known_of_second.at(twin)))
    throw unsupported(str_cat(value->debugName(), " depends on the size of the batch"));
  return mine;
}

std::string Conversion::name_of(const Value* value) {
  const auto found = names.find(value);
  if (found != names.end()) return found->second;
  return names[value] = graph.add_constant(known_value(value).toTensor());
}

const Value* Operation::value(const char* argument) const {
  return node_->namedInput(argument);
}

std::string Operation::tensor(const char* argument) const {
  return conversion_.name_of(value(argument));
}

std::string Operation::tensor(const char* argument, at::ScalarType type) const {
  const Value* const v = value(argument);
  if (!conversion_.known.has(v)) return conversion_.graph.cast(tensor(argument), type);
  const c10::IValue& known = conversion_.known_value(v);
  return conversion_.graph.add_constant(
      known.isTensor() ? known.toTensor().to(type) : at::scalar_tensor(known.toScalar(), type));
}

Names Operation::tensors(const char* argument) const {
  const Value* const v = value(argument);
  const auto found = conversion_.lists.find(v);
  if (found == conversion_.lists.end()) refuse(str_cat("\"", argument, "\" is no list of tensors"));
  return found->second;
}

Shape Operation::shape(const char* argument) const {
  const Value* const v = value(argument);
  if (conversion_.known.has(v)) return conversion_.known_value(v).toTensor().sizes().vec();
  return concrete_shape(v);
}

Tensor Operation::known_tensor(const char* argument) const {
  return conversion_.known_value(value(argument)).toTensor();
}

bool Operation::has(const char* argument) const {
  return node_->hasNamedInput(argument);
}

bool Operation::is_none(const char* argument) const {
  const Value* const v = value(argument);
  return conversion_.known.has(v) && conversion_.known.at(v).isNone();
}

int64_t Operation::integer(const char* argument) const {
  return conversion_.known_value(value(argument)).toInt();
}

double Operation::number(const char* argument) const {
  return conversion_.known_value(value(argument)).toScalar().toDouble();
}

bool Operation::flag(const char* argument) const {
  return conversion_.known_value(value(argument)).toBool();
}

std::string Operation::text(const char* argument) const {
  return conversion_.known_value(value(argument)).toStringRef();
}

Shape Operation::integers(const char* argument) const {
  return conversion_.known_value(value(argument)).toIntVector();
}

int64_t Operation::dimension(const char* argument, size_t rank) const {
  const int64_t d = integer(argument);
  return d < 0 ? d + static_cast<int64_t>(rank) : d;
}

std::string Operation::scalar(double value, at::ScalarType type) {
  return graph().add_constant(at::scalar_tensor(value, type));
}

at::ScalarType Operation::result_type() const {
  const auto type = node_->output(0)->type()->cast<c10::TensorType>();
  const auto element = type ? type->scalarType() : std::nullopt;
  if (!element) refuse("its result has no known type");
  return *element;
}

Shape Operation::result_shape() const {
  return concrete_shape(node_->output(0));
}

Shape Operation::free_result_shape() const {
  return free_shape(conversion_, node_->output(0));
}

void Operation::results(const Names& values) {
  if (values.size() != node_->outputs().size())
    refuse(str_cat("it has ", node_->outputs().size(), " results"));
  for (size_t i = 0; i < values.size(); ++i) conversion_.names[node_->output(i)] = values[i];
}

void Operation::result(const std::string& type, const Names& inputs, const Attributes& attributes) {
  result(graph().add_node(type, inputs, attributes, {result_type()}).front());
}

void Operation::result_list(const Names& values) {
  conversion_.lists[node_->output(0)] = values;
}

void Operation::refuse(const std::string& reason) const {
  throw unsupported(str_cat(node_->kind().toQualString(), " has no rule for this use: ", reason));
}

Shape free_shape(const Conversion& conversion, const Value* value) {
  Shape shape = concrete_shape(value);
  const Shape second = concrete_shape(conversion.in_second.at(value));
  int differences = shape.size() == second.size() ? 0 : 2;
  for (size_t i = 0; i < shape.size() && differences < 2; ++i) {
    if (shape[i] == second[i]) continue;
    shape[i] = kBatchSize;
    ++differences;
  }
  if (differences > 1)
    throw unsupported(str_cat("the batch enters more than one dimension of ", value->debugName()));
  return shape;
}

}  // namespace dfine::inline onnx_export
