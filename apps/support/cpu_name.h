#pragma once

#include <string>

namespace lamina::apps {

/// The CPU's name as Linux gives it.
std::string cpu_name();

}  // namespace lamina::apps
