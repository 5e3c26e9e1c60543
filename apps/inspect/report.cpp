#include "apps/inspect/report.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <variant>

#include "apps/inspect/values.h"
#include "core/error.h"
#include "models/checkpoint/recognize.h"
#include "models/load.h"
#include "models/model_file.h"
#include "nn/plan.h"

namespace lamina::apps {
namespace {

using models::Archive;
using models::GraphFile;

void add_all(const std::vector<std::string>& from, std::vector<std::string>& to) {
  std::ranges::copy(from, std::back_inserter(to));
}

Counts count(const models::MobileNetV2Options& options, std::size_t side) {
  models::MobileNetV2 net(options);
  Counts counts{.side = side};
  for (const nn::NamedTensor& tensor : nn::parameters(net)) {
    counts.parameters += tensor.value->size();
  }
  for (const models::LayerInfo& layer : net.layers({1, side, side, 3})) {
    using Kind = models::LayerInfo::Kind;
    counts.multiply_adds += layer.multiply_adds;
    if (layer.kind == Kind::pool) {
      counts.mmcls_flops += layer.input.size();
    } else if (layer.kind != Kind::add && layer.kind != Kind::linear) {
      const bool activated = layer.options.bounds.lo == 0.0f;
      counts.mmcls_flops += layer.multiply_adds + (activated ? 3 : 2) * layer.output.size();
    }
  }
  return counts;
}

// Without the words that every such message begins with.
std::string reason(const Error& error, const Report& report) {
  std::string message = error.what();
  const std::string usual = text("read_classifier: ", report.file, ": ");
  return message.starts_with(usual) ? message.substr(usual.size()) : message;
}

void describe_network(const models::Variant& variant, Report& report) {
  report.findings = variant.findings;
  report.findings.push_back(
      {"classes", std::to_string(variant.options.classes), "the classifier's rows"});
  const std::size_t side = variant.preprocessing.crop;
  if (side >= variant.options.stride) {
    report.counts = count(variant.options, side);
  }
}

// Any file of tensors is described; a difference from MobileNetV2 is one thing to say of it.
void describe_archive(const Archive& archive, const models::VariantOptions& given, Report& report) {
  report.container = archive.container;
  report.metadata = archive.metadata;
  report.remarks = archive.remarks;
  models::check_growth(archive, report.file);
  for (const auto& [name, tensor] : archive.tensors) {
    report.tensors.push_back(measure(name, tensor));
  }
  report.suspicious = find_suspicious(report.tensors);
  const models::Renamed renamed = models::with_our_names(archive);
  add_all(renamed.remarks, report.remarks);
  if (renamed.naming) {
    report.names = name_of(*renamed.naming);
  }
  try {
    const models::Variant variant =
        models::read_variant(models::describe(renamed, report.file), report.file, given);
    models::MobileNetV2 net(variant.options);
    models::load(net, renamed, report.file);
    describe_network(variant, report);
  } catch (const Error& error) {
    report.difference = reason(error, report);
  }
}

std::string_view name_of(const nn::Operation& operation) {
  constexpr std::array<std::string_view, std::variant_size_v<nn::Operation>> kNames = {
      "input", "convolution", "batch norm", "clamp", "addition", "pool", "linear", "softmax"};
  return kNames[operation.index()];
}

void add_tensors(const nn::Node& node, std::size_t number, std::vector<TensorFacts>& tensors) {
  const std::string name = text(number, ' ', node.name);
  const auto add = [&](const char* part, const Tensor& tensor) {
    if (!tensor.empty()) {
      tensors.push_back(measure(text(name, '.', part), tensor));
    }
  };
  if (const auto* convolution = std::get_if<nn::ConvolutionNode>(&node.operation)) {
    add("weight", convolution->weight);
    add("bias", convolution->bias);
  } else if (const auto* norm = std::get_if<nn::BatchNormNode>(&node.operation)) {
    add("weight", norm->gamma);
    add("bias", norm->beta);
    add("running_mean", norm->mean);
    add("running_var", norm->variance);
  } else if (const auto* linear = std::get_if<nn::LinearNode>(&node.operation)) {
    add("weight", linear->weight);
    add("bias", linear->bias);
  }
}

void recognize_network(const GraphFile& file, const models::VariantOptions& given, Report& report) {
  models::Recognition found = models::recognize(file.graph);
  if (!found.network) {
    report.difference = found.difference;
    return;
  }
  data::Metadata metadata = file.metadata;
  found.network->checkpoint.metadata.merge(metadata);
  models::Description description = models::describe(found.network->checkpoint);
  try {
    describe_network(models::read_variant(description, report.file, given), report);
    for (auto& [what, value, why] : report.findings) {
      const bool beside = what == "preprocessing" || what == "labels";
      why = beside || why == "an option" ? why : "the operations";
    }
  } catch (const Error& error) {
    report.difference = reason(error, report);
  }
}

void describe_graph(const GraphFile& file, const models::VariantOptions& given, Report& report) {
  report.container = file.container;
  report.metadata = file.metadata;
  report.remarks = file.remarks;
  std::map<std::string_view, std::size_t> operations;
  std::size_t multiply_adds = 0;
  for (std::size_t i = 0; i < file.graph.nodes.size(); ++i) {
    const nn::Node& node = file.graph.nodes[i];
    ++operations[name_of(node.operation)];
    add_tensors(node, i, report.tensors);
    if (const auto* convolution = std::get_if<nn::ConvolutionNode>(&node.operation)) {
      multiply_adds += node.shape[1] * node.shape[2] * convolution->weight.size();
    } else if (const auto* linear = std::get_if<nn::LinearNode>(&node.operation)) {
      multiply_adds += linear->weight.size();
    }
  }
  report.suspicious = find_suspicious(report.tensors);
  std::string list;
  for (const auto& [operation, count] : operations) {
    list += text(list.empty() ? "" : ", ", count, ' ', operation);
  }
  const nn::Graph& graph = file.graph;
  report.contents = {{"input", text(graph.nodes.front().shape), "the graph"},
                     {"output", text(graph.nodes[graph.output].shape), "the graph"},
                     {"operations", list, "the graph"},
                     {"multiply-adds", std::to_string(multiply_adds), "the graph"}};
  recognize_network(file, given, report);
  if (report.counts) {
    report.contents.pop_back();
  }
}

Report inspect_plan(Report report) {
  const nn::Plan plan = nn::load_plan(report.file);
  const nn::PlanMemory memory = plan.memory();
  report.container = "plan";
  report.metadata = plan.metadata();
  report.contents = {{"input", text(plan.input_shape()), "the plan"},
                     {"output", text(plan.output_shape()), "the plan"},
                     {"weights", text(memory.weights, " bytes"), "the plan"},
                     {"arena", text(memory.arena, " bytes"), "the plan"},
                     {"scratch", text(memory.scratch, " bytes a thread"), "the plan"}};
  return report;
}

}  // namespace

Report inspect(const std::filesystem::path& path, const models::VariantOptions& given) {
  Report report{.file = path.string()};
  std::error_code ignored;
  const std::uintmax_t bytes = std::filesystem::file_size(path, ignored);
  report.bytes = ignored ? 0 : bytes;
  if (nn::begins_as_plan(path)) {
    return inspect_plan(std::move(report));
  }
  const models::ModelFile file = models::read_model_file(path);
  if (const auto* archive = std::get_if<Archive>(&file)) {
    describe_archive(*archive, given, report);
  } else {
    describe_graph(std::get<GraphFile>(file), given, report);
  }
  return report;
}

}  // namespace lamina::apps
