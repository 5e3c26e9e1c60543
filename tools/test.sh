#!/usr/bin/env bash
# Installs what is missing, builds, runs every test. Usage: tools/test.sh [--build FOLDER] [MESON OPTION...]
# CXX names the compiler. The last line counts test cases: "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "$0")/.."

folder=build-test
if [[ ${1:-} == --build ]]; then
  folder=${2:?--build needs a folder}
  shift 2
fi
tools/setup.sh build test

fresh=()
[[ -f $folder/build.ninja ]] && fresh=(--reconfigure)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() { "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }; }

echo "Building in $folder"
quietly meson setup "$folder" "${fresh[@]}" "$@"
quietly meson compile -C "$folder"
rm -f "$folder"/meson-logs/testlog*
result=0
meson test -C "$folder" --no-rebuild --print-errorlogs || result=$?
python3 tools/count_tests.py "$folder" || result=1
exit $result
