#include "apps/train/course.h"

#include <algorithm>

#include "apps/support/progress.h"
#include "apps/train/head_only.h"
#include "apps/train/ingredients.h"
#include "core/error.h"
#include "nn/graph.h"
#include "nn/plan.h"

namespace lamina::apps {
namespace {

constexpr std::size_t kValidationBatch = 64;

// Pictures as they are, in order, once.
std::unique_ptr<Source> plain_source(const TrainOptions& options, const NewNetwork& network,
                                     const data::DatasetHandle& pictures) {
  return std::make_unique<LoaderSource>(
      pictures, data::LoaderOptions{.batch = std::min(kValidationBatch, pictures->size()),
                                    .threads = options.loader_threads,
                                    .shuffle = false,
                                    .epochs = 1,
                                    .preprocessing = network.preprocessing});
}

std::unique_ptr<Source> training_source(const TrainOptions& options, const Recipe& recipe,
                                        const NewNetwork& network,
                                        const data::DatasetHandle& pictures) {
  return std::make_unique<LoaderSource>(
      pictures, data::LoaderOptions{.batch = std::min(recipe.batch, pictures->size()),
                                    .seed = recipe.seed,
                                    .threads = options.loader_threads,
                                    .shuffle = true,
                                    .drop_last = true,
                                    .epochs = recipe.epochs,
                                    .preprocessing = network.preprocessing,
                                    .augmentation = augmentation_of(recipe),
                                    .mix = mix_of(recipe)});
}

Course whole_network(const TrainOptions& options, const Recipe& recipe,
                     const TrainingPictures& pictures, NewNetwork& network) {
  Course course;
  course.training = training_source(options, recipe, network, pictures.training);
  course.validation = plain_source(options, network, pictures.validation);
  models::MobileNetV2& net = *network.net;
  const Shape input = {1, recipe.resolution, recipe.resolution, 3};
  course.subject.reset(
      new Subject{net, net, pictures.training->classes(), *course.training, *course.validation,
                  [&net, input]() -> Forward { return nn::compile(nn::trace(net, input)); }});
  return course;
}

std::optional<Features> features_of(const TrainOptions& options, const Recipe& recipe,
                                    const data::DatasetHandle& pictures, NewNetwork& network,
                                    Console& console) {
  const std::unique_ptr<Source> source = plain_source(options, network, pictures);
  Progress progress(console, pictures->size());
  return compute_features(*network.net, recipe.resolution, *source,
                          [&progress](std::size_t done) { progress.update(done); });
}

std::optional<Course> head_alone(const TrainOptions& options, const Recipe& recipe,
                                 const TrainingPictures& pictures, NewNetwork& network,
                                 Console& console) {
  const Stopwatch watch;
  std::optional<Features> training =
      features_of(options, recipe, pictures.training, network, console);
  std::optional<Features> validation =
      training ? features_of(options, recipe, pictures.validation, network, console) : std::nullopt;
  if (!validation) {
    return std::nullopt;
  }
  console.print(text("features of ", training->labels.size() + validation->labels.size(),
                     " pictures: ", duration(watch.seconds()), '\n'));
  Course course;
  course.training = std::make_unique<FeatureSource>(
      std::move(*training),
      FeatureSource::Options{.batch = std::min(recipe.batch, pictures.training->size()),
                             .seed = recipe.seed,
                             .drop_last = true});
  course.validation = std::make_unique<FeatureSource>(
      std::move(*validation), FeatureSource::Options{.batch = kValidationBatch,
                                                     .order = FeatureSource::Order::as_they_are});
  nn::Module& head = head_of(*network.net);
  course.subject.reset(new Subject{
      *network.net, head, pictures.training->classes(), *course.training, *course.validation,
      [&head]() -> Forward { return [&head](const Tensor& x) { return head(x); }; }});
  return course;
}

}  // namespace

std::optional<Course> prepare(const TrainOptions& options, const Recipe& recipe,
                              const TrainingPictures& pictures, NewNetwork& network,
                              Console& console) {
  if (recipe.freeze != "backbone") {
    return whole_network(options, recipe, pictures, network);
  }
  if (recipe.augment != "none" || mix_of(recipe).enabled()) {
    console.report(
        "augment, mixup and cutmix are passed over: with --freeze backbone, features are computed "
        "from the pictures as they are, once");
  }
  return head_alone(options, recipe, pictures, network, console);
}

}  // namespace lamina::apps
