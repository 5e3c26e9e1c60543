#include <iomanip>
#include <sstream>

#include "apps/support/terminal.h"
#include "apps/support/timing.h"
#include "apps/train/confusion.h"
#include "apps/train/report.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

constexpr std::size_t kWidestMatrix = 20;
constexpr std::size_t kListed = 10;

std::string percent(double share) {
  return text(std::fixed, std::setprecision(2), 100.0 * share, " %");
}

// In a table's cell, of a name that a folder may have.
std::string cell(const std::string& name) {
  std::string safe;
  for (const char c : printable(name)) {
    safe += c == '|' ? "\\|" : std::string(1, c);
  }
  return safe;
}

void add_figures(std::ostream& out, const Trained& trained) {
  const TrainingPictures& pictures = trained.pictures;
  const Scores& scores = trained.scores;
  out << "| | |\n|---|---|\n"
      << "| validated on | " << scores.pictures << " pictures (" << pictures.validated_on << ") |\n"
      << "| top-1 | " << percent(scores.top1) << " |\n"
      << "| top-5 | " << percent(scores.top5) << " |\n"
      << "| cross-entropy | " << std::setprecision(4) << scores.loss << " |\n"
      << "| after epoch | " << trained.recipe.epochs << ", the last |\n"
      << "| trained on | " << pictures.training->size() << " pictures, "
      << pictures.training->classes() << " classes |\n"
      << "| network | MobileNetV2, width " << trained.recipe.width << ", stride "
      << trained.recipe.stride << ", input " << trained.recipe.resolution << " x "
      << trained.recipe.resolution << " |\n"
      << "| parameters | " << count_parameters(*trained.network.net) << " |\n"
      << "| multiply-adds | " << count_multiply_adds(trained.recipe, *trained.network.net) << " |\n"
      << "| seed | " << trained.recipe.seed << " |\n"
      << "| time | " << duration(trained.state.seconds) << " |\n";
}

std::string share_of(std::optional<double> share) { return share ? percent(*share) : "none"; }

void add_matrix(std::ostream& out, const std::vector<std::string>& names, const Scores& scores) {
  const auto shares = recalls(scores.confusion);
  out << "Rows are the truth, columns predictions; recall is the share of a row that is right.\n\n"
      << "| |";
  for (const std::string& name : names) {
    out << ' ' << cell(name) << " |";
  }
  out << " recall |\n|---|";
  for (std::size_t i = 0; i <= names.size(); ++i) {
    out << "---:|";
  }
  for (std::size_t label = 0; label < names.size(); ++label) {
    out << "\n| " << cell(names[label]) << " |";
    for (const std::size_t count : scores.confusion[label]) {
      out << ' ' << count << " |";
    }
    out << ' ' << share_of(shares[label]) << " |";
  }
  out << '\n';
}

void add_worst(std::ostream& out, const std::vector<std::string>& names, const Scores& scores) {
  out << "The worst confusions:\n\n| truth | prediction | pictures | of the truth's |\n"
      << "|---|---|---:|---:|\n";
  for (const Confusion& worst : worst_confusions(scores.confusion, kListed)) {
    out << "| " << cell(names[worst.label]) << " | " << cell(names[worst.prediction]) << " | "
        << worst.pictures << " | " << percent(worst.share) << " |\n";
  }
  const auto shares = recalls(scores.confusion);
  out << "\nThe lowest recalls:\n\n| truth | recall |\n|---|---:|\n";
  for (const std::size_t label : lowest_recalls(scores.confusion, kListed)) {
    out << "| " << cell(names[label]) << " | " << share_of(shares[label]) << " |\n";
  }
}

void add_recipe(std::ostream& out, const Recipe& recipe) {
  out << "| setting | value |\n|---|---|\n";
  for (const Setting& setting : settings()) {
    const std::string value = value_of(recipe, setting);
    if (!value.empty() && setting.name != std::string("about")) {
      out << "| " << setting.name << " | " << cell(value) << " |\n";
    }
  }
}

}  // namespace

std::string card(const Trained& trained) {
  const std::vector<std::string>& names = trained.pictures.training->class_names();
  std::ostringstream out;
  out << "# " << trained.options.out.stem().string() << "\n\n";
  if (!trained.recipe.about.empty()) {
    out << printable(trained.recipe.about) << "\n\n";
  }
  add_figures(out, trained);
  out << "\n![Loss and accuracy](" << trained.options.curves().filename().string() << ")\n"
      << "\n## Command\n\n```\n"
      << trained.state.command << "\n```\n"
      << "\nData: " << trained.options.data << ". To use it:\n\n```\nclassify --weights "
      << trained.options.out.filename().string() << " PICTURE\n```\n"
      << "\n## Confusion matrix\n\n";
  if (names.size() <= kWidestMatrix) {
    add_matrix(out, names, trained.scores);
  } else {
    add_worst(out, names, trained.scores);
  }
  out << "\n## Recipe\n\n";
  add_recipe(out, trained.recipe);
  return out.str();
}

}  // namespace lamina::apps
