#!/usr/bin/env bash
# Checks the layout of every C++ file, or repairs it. Usage: tools/format.sh [--fix]
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh format

mode=(--dry-run -Werror)
case ${1:-} in
  '') ;;
  --fix) mode=(-i) ;;
  *) echo "tools/format.sh: unknown argument: $1 (--fix or none)" >&2; exit 2 ;;
esac
git ls-files -z '*.h' '*.cpp' | xargs -0 clang-format "${mode[@]}"
