#include "apps/train/report.h"

#include "apps/support/timing.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "models/load.h"
#include "models/metadata.h"

namespace lamina::apps {

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
