#!/usr/bin/python3
"""Times MobileNetV2 beside other libraries: same weights, same input, alternating rounds.

Every library runs in a process of its own that answers requests to run the network a few times.
Their logits are compared with Lamina's before anything is timed. Prints minima and medians in
milliseconds and how many times Lamina's they are; --docs writes them as a page with a chart.
"""

import argparse
import array
import pathlib
import random
import subprocess
import sys
import tempfile

import report
import sides

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REFERENCE = ROOT.parent / "shared/data/imagenet"
SIDE = 224


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=pathlib.Path, metavar="SAFETENSORS",
                        default=REFERENCE / "mobilenet_v2_1.0_224_tf.safetensors")
    parser.add_argument("--onnx", type=pathlib.Path, metavar="ONNX",
                        default=REFERENCE / "mobilenet_v2_1.0_224_tf.onnx",
                        help="the same network for ONNX Runtime")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build",
                        help="build directory of Lamina (default: build)")
    parser.add_argument("--xnnpack-bench", type=pathlib.Path, metavar="PATH",
                        help="xnnpack_peer of a build with -Dxnnpack=PREFIX")
    parser.add_argument("--xnnpack-version", metavar="TEXT", default="",
                        help="which XNNPACK that is, which it does not know itself")
    parser.add_argument("--onednn-bench", type=pathlib.Path, metavar="PATH",
                        help="onednn_peer of a build with -Donednn=PREFIX")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=0.5,
                        help="about how long one side runs in one round (default: 0.5)")
    parser.add_argument("--docs", type=pathlib.Path, metavar="FOLDER",
                        help="write peers.md and peers.png there")
    options = parser.parse_args()
    if options.docs and not options.docs.is_dir():
        parser.error(f"--docs: no such folder: {options.docs}")
    wanted = [options.weights, options.onnx, options.build / "benchmarks/lamina_peer",
              options.xnnpack_bench, options.onednn_bench]
    for path in wanted:
        if path and not path.exists():
            sys.exit(f"compare: there is no {path}")
    return options


def write_inputs(folder, batch):
    """The same random pictures, channels last and, for ONNX Runtime, channels first."""
    rng = random.Random(7)
    size = SIDE * SIDE * 3
    nhwc = array.array("f", (rng.uniform(-1, 1) for _ in range(batch * size)))
    nchw = array.array("f")
    for image in range(batch):
        picture = nhwc[image * size:(image + 1) * size]
        for channel in range(3):
            nchw.extend(picture[channel::3])
    (folder / "nhwc.bin").write_bytes(nhwc.tobytes())
    (folder / "nchw.bin").write_bytes(nchw.tobytes())


def check_equal(ours, theirs):
    if len(ours.output) != len(theirs.output):
        sys.exit(f"compare: {ours.name} gave {len(ours.output)} logits, "
                 f"{theirs.name} {len(theirs.output)}")
    worst = max(abs(a - b) for a, b in zip(ours.output, theirs.output))
    if not worst <= 2e-4:
        sys.exit(f"compare: {theirs.name}: logits differ by {worst:.2e}, more than 2e-4")
    return worst


def compare(options, commands, folder, threads, batch):
    """A row of results: each library's name, times and largest difference from our logits."""
    running = []
    for kind, (command, environment) in commands.items():
        pictures = folder / ("nchw.bin" if kind == "onnxruntime" else "nhwc.bin")
        running.append(sides.Side([*command, pictures, batch, threads], folder / "logits.bin",
                                  environment))
        if kind == "xnnpack":
            running[-1].name += f" {options.xnnpack_version}".rstrip()
    differences = [check_equal(running[0], side) for side in running]
    sides.alternate(running, options.rounds, options.seconds)
    for side in running:
        side.close()
    return report.Case(threads, batch, [
        report.Result(side.name, side.times, difference)
        for side, difference in zip(running, differences)])


def main():
    options = arguments()
    # Without the rights to install, the peers that are here run all the same.
    subprocess.run([ROOT / "tools/setup.sh", "peers"], check=False)
    commands = sides.commands(options)
    cases = []
    report.print_header()
    with tempfile.TemporaryDirectory() as folder:
        for batch in options.batch:
            write_inputs(pathlib.Path(folder), batch)
            for threads in options.threads:
                cases.append(compare(options, commands, pathlib.Path(folder), threads, batch))
                report.print_case(cases[-1])
    if options.docs:
        report.write(options.docs, cases)


if __name__ == "__main__":
    main()
