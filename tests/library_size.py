"""Checks how large the shared library is once it is stripped.

Usage: library_size.py --strip STRIP LIBRARY
"""

import argparse
import pathlib
import subprocess
import tempfile

MAX_BYTES = 2_000_000

parser = argparse.ArgumentParser()
parser.add_argument("--strip", required=True)
parser.add_argument("file")
arguments = parser.parse_args()

with tempfile.TemporaryDirectory() as folder:
    stripped = pathlib.Path(folder) / "stripped.so"
    subprocess.run([arguments.strip, "-o", stripped, arguments.file], check=True)
    size = stripped.stat().st_size

print(f"{arguments.file}: {size} bytes stripped, at most {MAX_BYTES}")
raise SystemExit(size > MAX_BYTES)
