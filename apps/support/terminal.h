#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lamina::apps {

/// What bars and other signs may be drawn with.
enum class Charset { ascii, unicode };

/// Unicode where the environment's locale (LC_ALL, LC_CTYPE, LANG) is a UTF-8 one.
Charset locale_charset();

/// True for a terminal that understands cursor movement.
bool is_terminal(int descriptor);

/// The width of a terminal; empty for files and pipes, which have none.
std::optional<std::size_t> terminal_columns(int descriptor);

/// The text with control characters replaced by '?': what a file or a checkpoint calls something
/// must not move the cursor or forge lines.
std::string printable(std::string_view text);

/// The first `columns` characters of UTF-8 text, one column each.
std::string_view clip(std::string_view text, std::size_t columns);

}  // namespace lamina::apps
