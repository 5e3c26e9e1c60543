#include "apps/train/report.h"

#include "apps/support/timing.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "models/load.h"
#include "models/metadata.h"
#include "nn/module.h"

namespace lamina::apps {

std::size_t count_parameters(models::MobileNetV2& net) {
  std::size_t count = 0;
  for (const nn::NamedTensor& tensor : nn::parameters(net)) {
    count += tensor.value->size();
  }
  return count;
}

std::size_t count_multiply_adds(const Recipe& recipe, const models::MobileNetV2& net) {
  std::size_t count = 0;
  for (const models::LayerInfo& layer : net.layers({1, recipe.resolution, recipe.resolution, 3})) {
    count += layer.multiply_adds;
  }
  return count;
}

LogStart log_start(const Recipe& recipe, const TrainingPictures& pictures,
                   models::MobileNetV2& net) {
  return {.data = pictures.identity(),
          .recipe = as_json(recipe),
          .pictures = pictures.training->size(),
          .parameters = count_parameters(net),
          .multiply_adds = count_multiply_adds(recipe, net)};
}

std::string introduction(const Recipe& recipe, const TrainingPictures& pictures,
                         models::MobileNetV2& net) {
  return text("MobileNetV2 of width ", recipe.width, ", stride ", recipe.stride, ": ",
              count_parameters(net), " parameters, input ", recipe.resolution, " x ",
              recipe.resolution, "\n", pictures.training->size(), " pictures of ",
              pictures.training->classes(), " classes to train with, ", pictures.validation->size(),
              " to validate on (", pictures.validated_on, ")\n");
}

void write_model(const Trained& trained) {
  models::MobileNetV2& net = *trained.network.net;
  models::Checkpoint checkpoint = models::to_checkpoint(net);
  data::store(trained.network.preprocessing, checkpoint.metadata);
  models::store_labels(trained.pictures.training->class_names(), checkpoint.metadata);
  checkpoint.metadata["recipe"] = as_json(trained.recipe);
  checkpoint.metadata["trained_by"] = text("Lamina ", LAMINA_VERSION);
  models::write_safetensors(trained.options.out, checkpoint);
}

void write_card(const Trained& trained) {
  const std::string lines = card(trained);
  AtomicFile file("card", trained.options.card());
  file.write(lines.data(), lines.size());
  file.commit();
}

void write_all(const Trained& trained, Console& console) {
  write_model(trained);
  write_card(trained);
  if (!draw_curves(read_log(trained.options.log), trained.options.curves())) {
    console.report("no curves are drawn: train was built without cairo");
  }
  console.print(text(trained.options.out.string(), ": saved after ",
                     duration(trained.state.seconds), "; see ", trained.options.card().string(),
                     '\n'));
}

}  // namespace lamina::apps
