#!/usr/bin/env bash
# Installs the Debian packages that are missing. Usage: tools/setup.sh [build] [test] [format] [check] [peers]
set -euo pipefail

build=(g++ meson ninja-build pkg-config python3 flatbuffers-compiler
  libcairo2-dev libcli11-dev libflatbuffers-dev libjpeg62-turbo-dev libpng-dev libprotobuf-dev
  libtbb-dev libxsimd-dev libxxhash-dev nlohmann-json3-dev protobuf-compiler zlib1g-dev)
test=(binutils dataset-fashion-mnist libbenchmark-dev libgtest-dev python3-numpy python3-onnx python3-pil wordnet-base)
format=(clang-format git)
check=(clang clang-tidy g++-aarch64-linux-gnu googletest libclang-rt-14-dev libpthreadpool-dev
  qemu-user)
peers=(libopenblas0-openmp python3-matplotlib python3-torch)

wanted=()
for group in "${@:-build}"; do
  case $group in
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    format) wanted+=("${format[@]}") ;;
    check) wanted+=("${check[@]}") ;;
    peers)
      wanted+=("${peers[@]}")
      command -v npm >/dev/null || wanted+=(nodejs npm)
      ;;
    *)
      echo "tools/setup.sh: no such group: $group (build, test, format, check or peers)" >&2
      exit 2
      ;;
  esac
done

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || {
    echo "tools/setup.sh: needs root or sudo to install: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "Installing ${missing[*]}"
quietly() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
}
quietly apt-get update
quietly apt-get install -y --no-install-recommends "${missing[@]}"
