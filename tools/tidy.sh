#!/usr/bin/env bash
# Runs clang-tidy on every source outside of kernels and tests. Usage: tools/tidy.sh [BUILD FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh build test check format

folder=${1:-build-test}
[[ -f $folder/compile_commands.json ]] || meson setup "$folder" >/dev/null
git ls-files -z 'core/*.cpp' 'nn/*.cpp' 'data/*.cpp' 'models/*.cpp' 'apps/*.cpp' |
  xargs -0 -n 2 -P "$(nproc)" clang-tidy --quiet -p "$folder" 2>/dev/null
