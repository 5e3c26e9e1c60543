#!/usr/bin/env python3
"""embed.py INPUT OUTPUT NAME: a C++ source that defines lamina::data::detail::NAME, INPUT's text."""

import pathlib
import sys

source, output, name = sys.argv[1:]
text = pathlib.Path(source).read_text(encoding="ascii")
assert ')text"' not in text
pathlib.Path(output).write_text(
    "namespace lamina::data::detail {\n"
    f"extern const char {name}[];\n"
    f'const char {name}[] = R"text({text})text";\n'
    "}  // namespace lamina::data::detail\n",
    encoding="ascii",
)
