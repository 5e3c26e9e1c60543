#!/usr/bin/env bash
# Builds and runs the fuzzers of tests/fuzz, two at a time, and prints a line for each.
# Usage: tools/fuzz.sh [SECONDS] [TARGET...]
# BUILD (build-fuzz) is where they are built and their corpora grow, JOBS (2) how many run at a
# time. What they find is kept in BUILD/fuzz/findings/TARGET, to be fixed and then moved to
# tests/fuzz/regressions/TARGET. Exit code 1: something was found.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=60
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
fi
build=${BUILD:-build-fuzz}
jobs=${JOBS:-2}
tools/setup.sh build test check

log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() { "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }; }
if [[ ! -f $build/build.ninja ]]; then
  CXX=${CXX:-clang++} quietly meson setup "$build" --buildtype plain -Dfuzz=true -Db_lundef=false \
    -Db_sanitize=address,undefined '-Dcpp_args=-O1 -gline-tables-only -D_GLIBCXX_ASSERTIONS'
fi
targets=("$@")
if ((${#targets[@]} == 0)); then
  for file in $(git ls-files 'tests/fuzz/*.cpp'); do
    grep -q '^extern "C" int LLVMFuzzerTestOneInput' "$file" && targets+=("$(basename "$file" .cpp)")
  done
fi
quietly ninja -C "$build" tests/fuzz/make_seeds "${targets[@]/#/tests/fuzz/fuzz_}"
mkdir -p "$build"/fuzz/{seeds,logs,corpus,findings}
"$build/tests/fuzz/make_seeds" "$build/fuzz/seeds"

export LAMINA_THREADS=1 UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1
[[ -d /dev/shm ]] && export TMPDIR=/dev/shm

# The longest input that is tried, bytes.
longest() {
  case $1 in
    exif) echo 256 ;;
    plan) echo 32768 ;;
    cifar | jpeg | onnx | tflite | torch_legacy | zip) echo 16384 ;;
    *) echo 4096 ;;
  esac
}

# fuzz TARGET: the name, what libFuzzer counted, the number of findings.
fuzz() {
  local target=$1 folder=$build/fuzz status=0
  local log=$folder/logs/$target.log dictionary=tests/fuzz/dictionaries/$target.dict
  mkdir -p "$folder/corpus/$target" "$folder/findings/$target"
  local options=("-max_total_time=$seconds" "-max_len=$(longest "$target")" -timeout=20
    -rss_limit_mb=2048 -malloc_limit_mb=512 -print_final_stats=1
    "-artifact_prefix=$folder/findings/$target/")
  [[ ! -f $dictionary ]] || options+=("-dict=$dictionary")
  local corpora=("$folder/corpus/$target" "$folder/seeds/$target")
  [[ ! -d tests/fuzz/regressions/$target ]] || corpora+=("tests/fuzz/regressions/$target")
  "$build/tests/fuzz/fuzz_$target" "${options[@]}" "${corpora[@]}" >"$log" 2>&1 </dev/null &
  local child=$!
  trap 'kill "$child" 2>/dev/null; exit 130' TERM
  wait "$child" || status=$?
  local runs rate coverage corpus
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
  coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d ' ' -f 2 || true)
  corpus=$(find "$folder/corpus/$target" -type f | wc -l)
  local found
  found=$(find "$folder/findings/$target" -type f | wc -l)
  ((status == 0 || found > 0)) || found=1
  printf '%-14s %12s executions %8s /s %7s edges %6s files %3s findings\n' \
    "$target" "${runs:-?}" "${rate:-?}" "${coverage:-?}" "$corpus" "$found"
  ((found == 0)) || { tail -n 40 "$log" >&2; return 1; }
}

stop() {
  trap - INT TERM
  # shellcheck disable=SC2046  # a word for each process
  kill $(jobs -p) 2>/dev/null || true
  wait
  exit 130
}
trap stop INT TERM
result=0 running=0
for target in "${targets[@]}"; do
  if ((running == jobs)); then
    wait -n || result=1
    running=$((running - 1))
  fi
  fuzz "$target" &
  running=$((running + 1))
done
while ((running > 0)); do
  wait -n || result=1
  running=$((running - 1))
done
exit "$result"
