#include "apps/train/trainer.h"

#include <cmath>

#include "apps/support/stop_signal.h"
#include "apps/train/ingredients.h"
#include "core/error.h"
#include "core/random.h"
#include "nn/clip_gradients.h"
#include "nn/layers.h"
#include "nn/loss.h"

namespace lamina::apps {
namespace {

constexpr std::uint64_t kDropoutStream = std::uint64_t{15} << 60;  // apart from data::Purpose's

std::unique_ptr<nn::Ema> average_of(const Recipe& recipe, nn::Module& module) {
  if (recipe.ema == 0.0) {
    return nullptr;
  }
  const auto buffers =
      recipe.ema_buffers == "copy" ? nn::EmaBuffers::copy : nn::EmaBuffers::average;
  return std::make_unique<nn::Ema>(
      module, nn::EmaOptions{.decay = recipe.ema, .warmup = recipe.ema_warmup, .buffers = buffers});
}

// What is dropped depends on the step alone, so that a resumed training drops the same.
void seed_dropout(nn::Module& module, std::uint64_t seed, std::uint64_t step) {
  nn::for_each_module(module, [=](const std::string&, nn::Module& part) {
    if (auto* dropout = dynamic_cast<nn::Dropout*>(&part)) {
      dropout->set_rng(Rng(seed, kDropoutStream | step));
    }
  });
}

void set_norm_momentum(nn::Module& module, double momentum) {
  nn::for_each_module(module, [=](const std::string&, nn::Module& part) {
    if (auto* norm = dynamic_cast<nn::BatchNorm2d*>(&part)) {
      norm->set_momentum(static_cast<float>(momentum));
    }
  });
}

double ratio(double a, std::size_t b) { return b == 0 ? 0.0 : a / static_cast<double>(b); }

}  // namespace

Trainer::Trainer(const TrainOptions& options, const Recipe& recipe, const Subject& subject,
                 Console& console)
    : options_(options),
      recipe_(recipe),
      subject_(subject),
      console_(console),
      schedule_(schedule_of(recipe, subject.training.batches())),
      optimizer_(optimizer_of(recipe, nn::parameters(subject.module))),
      ema_(average_of(recipe, subject.module)),
      display_(console) {
  set_norm_momentum(subject_.module, recipe_.norm_momentum);
}

void Trainer::begin(const LogStart& start) {
  state_.recipe = options_.recipe;
  state_.data = start.data;
  state_.command = options_.command;
  log_ = std::make_unique<Log>(options_.log, 0);
  log_->start(start);
  save();
}

void Trainer::resume(const TrainingCheckpoint& checkpoint) {
  restore(checkpoint, {subject_.net, *optimizer_, ema_.get()});
  state_ = checkpoint.state;
  seconds_before_ = state_.seconds;
  log_ = std::make_unique<Log>(options_.log, state_.log_bytes);
  log_->resume(state_.step);
  subject_.training.seek(state_.position);
}

Ending Trainer::run() {
  while (state_.position.epoch < recipe_.epochs) {
    if (!train_epoch() || !end_epoch()) {
      save();
      return Ending::stopped;
    }
    save();
  }
  console_.set_status({});
  return Ending::finished;
}

bool Trainer::train_epoch() {
  subject_.module.train();
  stepped_ = Stopwatch();
  window_ = Window();
  while (!stop_requested()) {
    const std::optional<data::Batch> batch = subject_.training.next();
    if (!batch) {
      return true;
    }
    step(*batch);
    show();
    if (window_.steps == options_.log_steps) {
      log_steps();
    }
    if (options_.checkpoint_minutes > 0.0 &&
        saved_.seconds() >= 60.0 * options_.checkpoint_minutes) {
      save();
    }
  }
  return false;
}

void Trainer::step(const data::Batch& batch) {
  seed_dropout(subject_.module, recipe_.seed, state_.step);
  optimizer_->set_rate(schedule_.rate(state_.step));
  const nn::CrossEntropyOptions smoothing{.label_smoothing = recipe_.label_smoothing};
  const Tensor logits = subject_.module(batch.images);
  const Tensor loss = batch.targets.empty() ? nn::cross_entropy(logits, batch.labels, smoothing)
                                            : nn::cross_entropy(logits, batch.targets, smoothing);
  const double value = static_cast<double>(loss.values()[0]);
  if (!std::isfinite(value)) {
    fail(Fault::loss, value, batch.images);
  }
  loss.backward();
  update_weights(batch);
  count(batch, logits, value);
}

void Trainer::update_weights(const data::Batch& batch) {
  const auto& parameters = optimizer_->parameters();
  const double norm = recipe_.clip > 0.0 ? nn::clip_gradient_norm(parameters, recipe_.clip)
                                         : nn::gradient_norm(parameters);
  if (!std::isfinite(norm)) {
    fail(Fault::gradient, norm, batch.images);
  }
  optimizer_->step();
  optimizer_->clear_gradients();
  if (ema_) {
    ema_->update();
  }
}

void Trainer::count(const data::Batch& batch, const Tensor& logits, double loss) {
  const std::size_t pictures = batch.labels.size();
  const std::size_t classes = logits.shape()[1];
  std::size_t right = 0;
  for (std::size_t i = 0; i < pictures; ++i) {
    right += rank_of(logits.values().data() + i * classes, classes, batch.labels[i]) == 0 ? 1 : 0;
  }
  EpochSums& epoch = state_.epoch;
  epoch.loss += loss * static_cast<double>(pictures);
  epoch.right += right;
  epoch.pictures += pictures;
  epoch.seconds += stepped_.seconds();
  stepped_ = Stopwatch();
  window_.loss += loss * static_cast<double>(pictures);
  window_.right += right;
  window_.pictures += pictures;
  ++window_.steps;
  ++state_.step;
  state_.position = subject_.training.position();
}

void Trainer::show() {
  const EpochSums& epoch = state_.epoch;
  const std::size_t batch = state_.position.batch;
  const std::size_t left = schedule_.steps() - state_.step;
  display_.update({.epoch = state_.position.epoch,
                   .epochs = recipe_.epochs,
                   .batch = batch,
                   .batches = subject_.training.batches(),
                   .loss = ratio(epoch.loss, epoch.pictures),
                   .top1 = ratio(static_cast<double>(epoch.right), epoch.pictures),
                   .rate = optimizer_->rate(),
                   .images_per_second = static_cast<double>(epoch.pictures) / epoch.seconds,
                   .seconds_left = ratio(epoch.seconds, batch) * static_cast<double>(left)});
}

void Trainer::log_steps() {
  log_->write({.step = state_.step,
               .epoch = ratio(static_cast<double>(state_.step), subject_.training.batches()),
               .loss = ratio(window_.loss, window_.pictures),
               .top1 = ratio(static_cast<double>(window_.right), window_.pictures),
               .rate = optimizer_->rate(),
               .images_per_second = static_cast<double>(window_.pictures) / window_.watch.seconds(),
               .seconds = seconds()});
  window_ = Window();
}

bool Trainer::end_epoch() {
  display_.say("evaluating");
  scores_ = evaluate_average();
  if (!scores_) {
    return false;
  }
  const EpochSums& epoch = state_.epoch;
  const LogEntry entry = {
      .step = state_.step,
      .epoch = static_cast<double>(state_.position.epoch + 1),
      .loss = ratio(epoch.loss, epoch.pictures),
      .top1 = ratio(static_cast<double>(epoch.right), epoch.pictures),
      .rate = schedule_.rate(state_.step - 1),
      .images_per_second = static_cast<double>(epoch.pictures) / epoch.seconds,
      .seconds = seconds(),
      .validation = LogEntry::Validation{scores_->loss, scores_->top1, scores_->top5}};
  log_->write(entry);
  console_.print(epoch_line(entry, recipe_.epochs));
  state_.epoch = {};
  state_.position = {state_.position.epoch + 1, 0};
  return true;
}

std::optional<Scores> Trainer::evaluate_average() {
  if (ema_) {
    ema_->swap();
  }
  std::optional<Scores> scores = evaluate_now();
  if (ema_) {
    ema_->swap();
  }
  return scores;
}

std::optional<Scores> Trainer::evaluate_now() {
  subject_.module.eval();
  return evaluate(subject_.validation, subject_.classes, subject_.compile());
}

void Trainer::log_end(const Scores& scores, const TrainingPictures& pictures) {
  log_->end({.step = state_.step,
             .seconds = state_.seconds,
             .validated_on = pictures.validated_on,
             .classes = pictures.validation->class_names(),
             .scores = scores});
  log_->sync();
}

void Trainer::take_average() {
  if (ema_) {
    ema_->swap();
  }
}

void Trainer::save() {
  if (const auto bad = bad_tensor(subject_.module)) {
    throw Error(text(where(), "weights must be finite: ", *bad));
  }
  state_.seconds = seconds();
  state_.log_bytes = log_->sync();
  write_checkpoint(options_.checkpoint(), state_, {subject_.net, *optimizer_, ema_.get()});
  saved_ = Stopwatch();
}

std::string Trainer::where() const {
  return text("step ", state_.step, " (epoch ", state_.position.epoch + 1, ", rate ",
              optimizer_->rate(), "): ");
}

void Trainer::fail(Fault fault, double value, const Tensor& input) {
  throw Error(text(where(), "the ", fault == Fault::loss ? "loss" : "gradient",
                   " must be finite: it is ", value, "; ", explain(fault, subject_.module, input)));
}

}  // namespace lamina::apps
