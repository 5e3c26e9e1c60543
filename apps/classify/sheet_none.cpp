// In place of sheet_cairo.cpp where cairo is missing.
#include "apps/classify/sheet.h"

namespace lamina::apps {

bool can_draw_sheets() { return false; }

void draw(const Sheet&, const std::filesystem::path&) {}

}  // namespace lamina::apps
