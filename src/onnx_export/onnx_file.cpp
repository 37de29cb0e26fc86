#include "onnx_export/onnx_file.h"

#include <c10/util/Exception.h>
#include <torch/csrc/jit/serialization/export.h>

#include <limits>

#include "core/error.h"
#include "core/proto_message.h"
#include "core/text.h"
#include "dfine_version.h"
#include "onnx_export/element_type.h"

namespace dfine::inline onnx_export {
namespace {

constexpr int64_t kIrVersion = 8, kOpset = 17;

// Numbers of fields in onnx.proto.
namespace model_field {
enum { kIrVersion = 1, kProducer, kProducerVersion, kGraph = 7, kOpset = 8, kMetadata = 14 };
}
namespace opset_field {
enum { kDomain = 1, kVersion };
}
namespace graph_field {
enum { kNode = 1, kName, kInitializer = 5, kInput = 11, kOutput };
}
namespace node_field {
enum { kInput = 1, kOutput, kName, kType, kAttribute };
}
namespace attribute_field {
enum { kName = 1, kFloat, kInt, kString, kInts = 8, kType = 20 };
}
namespace attribute_type {
enum { kFloat = 1, kInt, kString, kInts = 7 };
}
namespace tensor_field {
enum { kDims = 1, kType, kName = 8, kRawData };
}
namespace port_field {
enum { kName = 1, kType };
}
namespace type_field {
enum { kTensor = 1 };
}
namespace tensor_type_field {
enum { kElement = 1, kShape };
}
namespace shape_field {
enum { kDimension = 1 };
}
namespace dimension_field {
enum { kValue = 1, kParameter };
}
namespace entry_field {
enum { kKey = 1, kValue };
}

ProtoMessage attribute(const std::string& name, const AttributeValue& value) {
  ProtoMessage out;
  out.text(attribute_field::kName, name);
  struct {
    ProtoMessage& out;
    void operator()(int64_t v) const {
      out.integer(attribute_field::kInt, v);
      out.integer(attribute_field::kType, attribute_type::kInt);
    }
    void operator()(float v) const {
      out.number(attribute_field::kFloat, v);
      out.integer(attribute_field::kType, attribute_type::kFloat);
    }
    void operator()(const std::string& v) const {
      out.text(attribute_field::kString, v);
      out.integer(attribute_field::kType, attribute_type::kString);
    }
    void operator()(const Shape& v) const {
      for (const int64_t n : v) out.integer(attribute_field::kInts, n);
      out.integer(attribute_field::kType, attribute_type::kInts);
    }
  } const add{out};
  std::visit(add, value);
  return out;
}

ProtoMessage node(const OnnxNode& node, const OnnxGraph& graph) {
  ProtoMessage out;
  for (const std::string& value : node.inputs)
    out.text(node_field::kInput, graph.public_name(value));
  for (const std::string& value : node.outputs)
    out.text(node_field::kOutput, graph.public_name(value));
  out.text(node_field::kName, node.outputs.front());
  out.text(node_field::kType, node.type);
  for (const auto& [name, value] : node.attributes)
    out.message(node_field::kAttribute, attribute(name, value));
  return out;
}

ProtoMessage initializer(const std::string& name, const Tensor& tensor) {
  ProtoMessage out;
  for (const int64_t size : tensor.sizes()) out.integer(tensor_field::kDims, size);
  out.integer(tensor_field::kType, onnx_type(tensor.scalar_type()));
  out.text(tensor_field::kName, name);
  // Little-endian, as every machine that this runs on.
  out.text(tensor_field::kRawData,
           {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()});
  return out;
}

ProtoMessage port(const OnnxPort& port, const std::string& batch_name) {
  ProtoMessage shape;
  for (const int64_t size : port.shape) {
    ProtoMessage dimension;
    if (size == kBatchSize) {
      dimension.text(dimension_field::kParameter, batch_name);
    } else {
      dimension.integer(dimension_field::kValue, size);
    }
    shape.message(shape_field::kDimension, dimension);
  }
  ProtoMessage tensor, type, out;
  tensor.integer(tensor_type_field::kElement, onnx_type(port.type));
  tensor.message(tensor_type_field::kShape, shape);
  type.message(type_field::kTensor, tensor);
  out.text(port_field::kName, port.name);
  out.message(port_field::kType, type);
  return out;
}

ProtoMessage graph_message(const OnnxModel& model) {
  const OnnxGraph& graph = model.graph;
  ProtoMessage out;
  for (const OnnxNode& n : graph.nodes()) out.message(graph_field::kNode, node(n, graph));
  out.text(graph_field::kName, "dfine");
  for (const auto& [name, tensor] : graph.constants())
    out.message(graph_field::kInitializer, initializer(name, tensor));
  for (const OnnxPort& p : graph.inputs())
    out.message(graph_field::kInput, port(p, model.batch_name));
  for (const OnnxPort& p : graph.outputs())
    out.message(graph_field::kOutput, port(p, model.batch_name));
  return out;
}

/// The checker throws for most mistakes, but only warns when types and shapes do not fit.
class CollectWarnings : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override { text += warning.msg(); }
  std::string text;
};

}  // namespace

std::string serialize(const OnnxModel& model) {
  ProtoMessage out;
  out.integer(model_field::kIrVersion, kIrVersion);
  out.text(model_field::kProducer, "dfine-export");
  out.text(model_field::kProducerVersion, DFINE_VERSION);
  out.message(model_field::kGraph, graph_message(model));
  ProtoMessage opset;
  opset.text(opset_field::kDomain, "");
  opset.integer(opset_field::kVersion, kOpset);
  out.message(model_field::kOpset, opset);
  for (const auto& [key, value] : model.metadata) {
    ProtoMessage entry;
    entry.text(entry_field::kKey, key);
    entry.text(entry_field::kValue, value);
    out.message(model_field::kMetadata, entry);
  }
  if (out.bytes().size() > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
    throw Error(ErrorCode::kConflictingSettings, "the model takes more than 2 GiB as an ONNX file",
                "export it with --precision fp16");
  return out.bytes();
}

void check_onnx(const std::string& bytes) {
  CollectWarnings found;
  try {
    const c10::WarningUtils::WarningHandlerGuard guard(&found);
    torch::jit::check_onnx_proto(bytes);
  } catch (const std::exception& e) {
    found.text += e.what();
  }
  if (!found.text.empty())
    throw Error(ErrorCode::kInternal, str_cat("the ONNX file is not valid: ", found.text),
                "report this, with the command line");
}

}  // namespace dfine::inline onnx_export
