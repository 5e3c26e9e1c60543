#pragma once

#include <string>
#include <string_view>

namespace lamina::models {

/// Inside models only: throws Error, its message begun with `prefix`, unless the header of a
/// safetensors file is JSON, nested at most three levels deep (the file, a tensor, its shape) and
/// without the same name twice in one object. Reads the text once and keeps the names only, so that
/// a hostile header is refused before it becomes a tree.
void check_header_rules(std::string_view header, std::string_view prefix);

/// The name as JSON writes it, control characters and foreign letters escaped.
std::string in_quotes(std::string_view name);

}  // namespace lamina::models
