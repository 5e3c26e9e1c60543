#!/usr/bin/env bash
# Builds the kernels for aarch64 and runs their tests in qemu. Usage:
# tools/test_aarch64.sh [--build FOLDER] [MESON OPTION...]
set -euo pipefail
cd "$(dirname "$0")/.."
folder=build-aarch64
if [[ ${1:-} == --build ]]; then
  folder=${2:?--build needs a folder}
  shift 2
fi
tools/setup.sh build test check

# The cross compiler must not see this machine's own headers: a folder with xsimd's alone, and
# GoogleTest from Debian's sources.
mkdir -p "$folder.root/include"
prefix=$(cd "$folder.root" && pwd)
ln -sfn /usr/include/xsimd "$prefix/include/xsimd"
cat >"$prefix/xsimd.pc" <<END
Name: xsimd
Description: the headers alone
Version: $(pkg-config --modversion xsimd)
Cflags: -I$prefix/include
END

fresh=()
[[ -f $folder/build.ninja ]] && fresh=(--reconfigure)
export PKG_CONFIG_LIBDIR=$prefix
meson setup "$folder" "${fresh[@]}" --cross-file tools/aarch64.cross -Dkernels_only=true "$@"
meson compile -C "$folder"
rm -f "$folder"/meson-logs/testlog*
result=0
meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 10 || result=$?
python3 tools/count_tests.py "$folder" || result=1
exit $result
