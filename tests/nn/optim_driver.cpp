#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "core/error.h"
#include "nn/clip_gradients.h"
#include "nn/ema.h"
#include "nn/layers.h"
#include "nn/optim.h"
#include "nn/schedule.h"

namespace {

using namespace lamina;

// The rest of a line: "key=value" words.
class Arguments {
 public:
  explicit Arguments(std::istream& words) {
    for (std::string word; words >> word;) {
      const std::size_t equals = word.find('=');
      values_[word.substr(0, equals)] = std::stod(word.substr(equals + 1));
    }
  }

  double get(const std::string& key, double otherwise) const {
    const auto found = values_.find(key);
    return found == values_.end() ? otherwise : found->second;
  }
  std::size_t count(const std::string& key) const {
    return static_cast<std::size_t>(values_.at(key));
  }

 private:
  std::map<std::string, double> values_;
};

template <class Value>
void read(Value* values, std::size_t count) {
  std::cin.read(reinterpret_cast<char*>(values),
                static_cast<std::streamsize>(count * sizeof(Value)));
  check(std::cin.good(), "optim_driver: the input ended");
}

template <class Value>
void write(const Value* values, std::size_t count) {
  std::fwrite(values, sizeof(Value), count, stdout);
}

Tensor read_tensor(const Shape& shape) {
  Tensor x = Tensor::uninitialized(shape);
  read(x.data(), x.size());
  return x;
}

// Three parameters: one of several tasks, one too small for a vector, one that gets gradients
// later.
struct Parameters {
  Tensor weight = read_tensor({37, 1000});
  Tensor bias = read_tensor({3});
  Tensor late = read_tensor({5, 33});

  std::vector<nn::NamedTensor> named() {
    weight.track();
    bias.track();
    late.track();
    return {{"weight", nn::TensorKind::parameter, &weight},
            {"bias", nn::TensorKind::parameter, &bias},
            {"late", nn::TensorKind::parameter, &late}};
  }
};

std::unique_ptr<nn::Optimizer> make_optimizer(const std::string& kind,
                                              std::vector<nn::NamedTensor> parameters,
                                              const Arguments& arguments) {
  const double rate = arguments.get("rate", 0.0);
  const double decay = arguments.get("weight_decay", 0.0);
  const auto decay_on =
      arguments.get("weights_only", 0.0) > 0.0 ? nn::DecayOn::weights : nn::DecayOn::all;
  if (kind == "sgd") {
    return std::make_unique<nn::Sgd>(
        std::move(parameters),
        nn::SgdOptions{.rate = rate,
                       .momentum = arguments.get("momentum", 0.0),
                       .dampening = arguments.get("dampening", 0.0),
                       .weight_decay = decay,
                       .decay_on = decay_on,
                       .form = arguments.get("nesterov", 0.0) > 0.0 ? nn::MomentumForm::nesterov
                                                                    : nn::MomentumForm::classic});
  }
  if (kind == "rms_prop") {
    return std::make_unique<nn::RmsProp>(
        std::move(parameters), nn::RmsPropOptions{.rate = rate,
                                                  .decay = arguments.get("decay", 0.9),
                                                  .momentum = arguments.get("momentum", 0.9),
                                                  .epsilon = arguments.get("epsilon", 1.0),
                                                  .weight_decay = decay,
                                                  .decay_on = decay_on});
  }
  return std::make_unique<nn::AdamW>(std::move(parameters),
                                     nn::AdamWOptions{.rate = rate,
                                                      .beta1 = arguments.get("beta1", 0.9),
                                                      .beta2 = arguments.get("beta2", 0.999),
                                                      .epsilon = arguments.get("epsilon", 1e-8),
                                                      .weight_decay = decay,
                                                      .decay_on = decay_on});
}

// Reads the parameters, then for each step its rate and gradients; answers with the parameters.
void optimize(const std::string& kind, const Arguments& arguments) {
  Parameters parameters;
  const auto optimizer = make_optimizer(kind, parameters.named(), arguments);
  for (std::size_t step = 0; step < arguments.count("steps"); ++step) {
    double rate = 0.0;
    read(&rate, 1);
    optimizer->set_rate(rate);
    for (const nn::NamedTensor& parameter : optimizer->parameters()) {
      const Tensor gradient = read_tensor(parameter.value->shape());
      if (parameter.name != "late" || step >= arguments.count("late_from")) {
        parameter.value->set_grad(gradient);
      }
    }
    optimizer->step();
    optimizer->clear_gradients();
    for (const nn::NamedTensor& parameter : optimizer->parameters()) {
      write(parameter.value->data(), parameter.value->size());
    }
  }
}

// Reads gradients; answers with their norm and what they become.
void clip(const std::string& kind, const Arguments& arguments) {
  Parameters parameters;
  const auto named = parameters.named();
  for (const nn::NamedTensor& parameter : named) {
    parameter.value->set_grad(parameter.value->clone());
  }
  const double max = arguments.get("max", 0.0);
  const double norm =
      kind == "norm" ? nn::clip_gradient_norm(named, max) : nn::clip_gradient_values(named, max);
  write(&norm, 1);
  for (const nn::NamedTensor& parameter : named) {
    const Tensor gradient = parameter.value->grad();
    write(gradient.data(), gradient.size());
  }
}

void schedule(const std::string& kind, const Arguments& arguments) {
  const std::map<std::string, nn::ScheduleKind> kinds = {
      {"constant", nn::ScheduleKind::constant},
      {"step", nn::ScheduleKind::step},
      {"exponential", nn::ScheduleKind::exponential},
      {"cosine", nn::ScheduleKind::cosine},
      {"one_cycle", nn::ScheduleKind::one_cycle}};
  const nn::Schedule schedule(
      {.kind = kinds.at(kind),
       .rate = arguments.get("rate", 0.1),
       .warmup_epochs = arguments.get("warmup_epochs", 0.0),
       .warmup_from = arguments.get("warmup_from", 0.01),
       .step_factor = arguments.get("step_factor", 0.1),
       .step_epochs = arguments.get("step_epochs", 30.0),
       .epoch_factor = arguments.get("epoch_factor", 0.98),
       .final_rate = arguments.get("final_rate", 0.0),
       .rise = arguments.get("rise", 0.3),
       .initial_divisor = arguments.get("initial_divisor", 25.0),
       .final_divisor = arguments.get("final_divisor", 1e4)},
      {.epochs = arguments.count("epochs"), .steps_per_epoch = arguments.count("steps_per_epoch")});
  for (std::size_t step = 0; step < schedule.steps(); ++step) {
    const double rate = schedule.rate(step);
    write(&rate, 1);
  }
}

// Reads weights, of which the average starts, then others at each step; answers with the average.
void average(const Arguments& arguments) {
  nn::Linear layer(7, 5);
  layer.weight = read_tensor({5, 7});
  nn::Ema ema(layer,
              {.decay = arguments.get("decay", 0.9), .warmup = arguments.get("warmup", 0.0)});
  for (std::size_t step = 0; step < arguments.count("steps"); ++step) {
    read(layer.weight.data(), layer.weight.size());
    ema.update();
    const Tensor& weight = ema.weights().at("weight");
    write(weight.data(), weight.size());
  }
}

void answer(const std::string& line) {
  std::istringstream words(line);
  std::string command, kind;
  words >> command >> kind;
  const Arguments arguments(words);
  if (command == "optimize") {
    optimize(kind, arguments);
  } else if (command == "clip") {
    clip(kind, arguments);
  } else if (command == "schedule") {
    schedule(kind, arguments);
  } else {
    average(arguments);
  }
}

}  // namespace

/// Each command of the standard input is a line "WHAT KIND key=value ..." and the numbers it takes,
/// in binary; the answer is binary too.
int main() {
  try {
    for (std::string line; std::getline(std::cin, line);) {
      answer(line);
      std::fflush(stdout);
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
