#!/usr/bin/env bash
# Installs what is missing, builds, and names what is in the pictures.
# Usage: tools/demo.sh [--weights FILE] [IMAGE...]   (classify itself has more options)
# Without arguments: 48 test pictures of Fashion-MNIST with the weights that tools/pretrain.py made, and
# a contact sheet of them in build/fashion-mnist.png.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
samples=$(realpath -m "${LAMINA_SHARED_DATA:-$root/../shared/data}/imagenet")

pretrained=$root/models/pretrained/fashion-mnist.safetensors

weights=$samples/mobilenet_v2_1.0_224_tf.safetensors
images=()
if (($# == 0)) && [[ -f $pretrained ]]; then
  weights=$pretrained
  images=(--limit 48 --sheet "$root/build/fashion-mnist.png" fashion-mnist)
fi
while (($#)); do
  case $1 in
    --weights)
      (($# > 1)) || { echo "tools/demo.sh: --weights needs a file" >&2; exit 2; }
      weights=$2
      shift
      ;;
    --weights=*) weights=${1#--weights=} ;;
    -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
    -*) echo "tools/demo.sh: unknown option $1: see tools/demo.sh --help" >&2; exit 2 ;;
    *) images+=("$1") ;;
  esac
  shift
done
if [[ ! -f $weights ]]; then
  echo "tools/demo.sh: no weights at $weights: save torchvision's mobilenet_v2 state dict with" \
    "safetensors.torch.save_file and pass it as --weights FILE" >&2
  exit 1
fi
if ((${#images[@]} == 0)); then
  images=("$samples/cat_720p.jpg" "$samples/parrot.jpg" "$samples/hot_dog.jpg")
  [[ -f ${images[0]} ]] || { echo "tools/demo.sh: name one or more pictures" >&2; exit 1; }
fi

"$root/tools/setup.sh" build test
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() { "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }; }
if [[ ! -f $root/build/build.ninja ]]; then
  echo "Building in $root/build"
  quietly meson setup "$root/build" "$root"
fi
[[ -x $root/build/apps/classify ]] || echo "Compiling, about two minutes on two cores"
quietly meson compile -C "$root/build" classify
"$root/build/apps/classify" --weights "$weights" "${images[@]}"
