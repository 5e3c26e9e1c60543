"""Modules that Debian's own Python may have where another one, first on the PATH, has not."""

import importlib.util
import os
import sys

DEBIAN_PYTHON = "/usr/bin/python3"
SKIPPED = 77


def need(modules, packages, fail_without=False):
    """Starts the program again with Debian's Python when modules are missing; when they are missing
    there too, ends it as skipped, or failed where that is wanted."""
    if all(importlib.util.find_spec(module) for module in modules):
        return
    if os.path.exists(DEBIAN_PYTHON) and os.path.realpath(sys.executable) != os.path.realpath(
        DEBIAN_PYTHON
    ):
        os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, *sys.argv])
    print(f"skipped without {' and '.join(modules)}: install {' and '.join(packages)}")
    sys.exit(1 if fail_without else SKIPPED)
