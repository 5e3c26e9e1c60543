#include "apps/support/terminal.h"

#include <clocale>
#include <cstdlib>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace lamina::apps {

Charset locale_charset() {
  // LC_CTYPE alone: numbers keep their decimal point in every language.
  std::setlocale(LC_CTYPE, "");
  return std::string_view(nl_langinfo(CODESET)) == "UTF-8" ? Charset::unicode : Charset::ascii;
}

bool is_terminal(int descriptor) {
  const char* kind = std::getenv("TERM");
  return isatty(descriptor) != 0 && kind != nullptr && std::string_view(kind) != "dumb";
}

std::optional<std::size_t> terminal_columns(int descriptor) {
  winsize size{};
  if (!is_terminal(descriptor) || ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return std::nullopt;
  }
  return size.ws_col;
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    // U+0080 to U+009F, two bytes each in UTF-8, are control characters as well.
    const bool two_byte_control = byte == 0xc2 && next >= 0x80 && next < 0xa0;
    i += two_byte_control ? 1 : 0;
    result += two_byte_control || byte < 0x20 || byte == 0x7f ? '?' : text[i];
  }
  return result;
}

std::string_view clip(std::string_view text, std::size_t columns) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (starts_character && seen++ == columns) {
      return text.substr(0, i);
    }
  }
  return text;
}

}  // namespace lamina::apps
