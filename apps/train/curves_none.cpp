// In place of curves_cairo.cpp where cairo is missing.
#include "apps/train/report.h"

namespace lamina::apps {

bool draw_curves(const LogEntries&, const std::filesystem::path&) { return false; }

}  // namespace lamina::apps
