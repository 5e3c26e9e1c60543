"""Checks that the shared library calls nothing that runs programs or loads code: whatever a file
holds, it stays data.

Usage: imports.py --nm NM LIBRARY
"""

import argparse
import re
import subprocess

# Of the C library: to start programs, to load libraries, to make memory executable.
FORBIDDEN = re.compile(r"dlm?v?open|dlv?sym|system|popen|wordexp|exec\w*|fexecve|v?fork|clone\d?|posix_spawnp?|mprotect")

parser = argparse.ArgumentParser()
parser.add_argument("--nm", required=True)
parser.add_argument("file")
arguments = parser.parse_args()

listing = subprocess.run(
    [arguments.nm, "-D", "--undefined-only", arguments.file],
    check=True,
    capture_output=True,
    text=True,
).stdout
imported = {line.split()[-1].split("@")[0] for line in listing.splitlines()}
found = sorted(name for name in imported if FORBIDDEN.fullmatch(name))
print(f"{arguments.file}: {len(imported)} imports, of them forbidden: {', '.join(found) or 'none'}")
raise SystemExit(1 if found or not imported else 0)
