#include <algorithm>
#include <iomanip>
#include <sstream>

#include "apps/support/terminal.h"
#include "apps/support/timing.h"
#include "apps/train/report.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

constexpr std::size_t kWidestMatrix = 20;
constexpr std::size_t kConfusionsListed = 20;

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
      << "| seed | " << trained.recipe.seed << " |\n"
      << "| time | " << duration(trained.state.seconds) << " |\n";
}

void add_matrix(std::ostream& out, const std::vector<std::string>& names, const Scores& scores) {
  out << "Rows are labels, columns predictions.\n\n| |";
  for (std::size_t i = 0; i < names.size(); ++i) {
    out << ' ' << i << " |";
  }
  out << " right |\n|---|";
  for (std::size_t i = 0; i <= names.size(); ++i) {
    out << "---:|";
  }
  for (std::size_t label = 0; label < names.size(); ++label) {
    std::size_t all = 0;
    out << "\n| " << label << ' ' << cell(names[label]) << " |";
    for (const std::size_t count : scores.confusion[label]) {
      out << ' ' << count << " |";
      all += count;
    }
    const double right = static_cast<double>(scores.confusion[label][label]);
    out << ' ' << (all == 0 ? "" : percent(right / static_cast<double>(all))) << " |";
  }
  out << '\n';
}

void add_commonest(std::ostream& out, const std::vector<std::string>& names, const Scores& scores) {
  struct Confusion {
    std::size_t count, label, prediction;
  };
  std::vector<Confusion> confusions;
  for (std::size_t label = 0; label < names.size(); ++label) {
    for (std::size_t prediction = 0; prediction < names.size(); ++prediction) {
      if (label != prediction && scores.confusion[label][prediction] > 0) {
        confusions.push_back({scores.confusion[label][prediction], label, prediction});
      }
    }
  }
  std::ranges::stable_sort(confusions, std::greater(), &Confusion::count);
  out << "The commonest mistakes:\n\n| pictures | of | taken for |\n|---:|---|---|\n";
  for (std::size_t i = 0; i < std::min(confusions.size(), kConfusionsListed); ++i) {
    out << "| " << confusions[i].count << " | " << cell(names[confusions[i].label]) << " | "
        << cell(names[confusions[i].prediction]) << " |\n";
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
    add_commonest(out, names, trained.scores);
  }
  out << "\n## Recipe\n\n";
  add_recipe(out, trained.recipe);
  return out.str();
}

}  // namespace lamina::apps
