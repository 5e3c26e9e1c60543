#include <algorithm>
#include <iostream>

#include "core/error.h"
#include "data/image.h"
#include "data/preprocessing.h"
#include "models/load.h"
#include "nn/plan.h"

int main(int argc, char** argv) try {
  lamina::check(argc == 3, "usage: label WEIGHTS PICTURE");
  const auto classifier = lamina::models::read_classifier(argv[1]);
  const auto graph = lamina::nn::trace(*classifier.net, classifier.input_shape());
  const auto plan = lamina::nn::compile(graph);

  const auto picture = lamina::data::read_image(argv[2]);
  const auto logits = plan(lamina::data::preprocess(picture, classifier.preprocessing));
  const auto best = std::ranges::max_element(logits.values()) - logits.values().begin();
  std::cout << classifier.labels.at(static_cast<std::size_t>(best)) << '\n';
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
