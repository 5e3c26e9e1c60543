#!/usr/bin/env python3
"""Times the whole network beside ONNX Runtime: same weights, same input, alternating rounds.

Both run as processes of their own that answer requests to run the network a few times. Rounds
alternate, so that a change in the machine's speed meets both sides. The logits are compared before
anything is timed. Prints minima and medians in milliseconds and their ratios.
"""

import argparse
import array
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

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
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=0.5,
                        help="about how long one side runs in one round (default: 0.5)")
    return parser.parse_args()


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown CPU"


def write_inputs(folder, batch):
    """The same random pictures, channels last for Lamina and channels first for ONNX Runtime."""
    rng = random.Random(7)
    pixels = SIDE * SIDE
    nhwc = array.array("f", (rng.uniform(-1, 1) for _ in range(batch * pixels * 3)))
    nchw = array.array("f")
    for image in range(batch):
        picture = nhwc[image * pixels * 3:(image + 1) * pixels * 3]
        for channel in range(3):
            nchw.extend(picture[channel::3])
    (folder / "nhwc.bin").write_bytes(nhwc.tobytes())
    (folder / "nchw.bin").write_bytes(nchw.tobytes())


class Peer:
    def __init__(self, name, command, logits):
        self.name = name
        self.times = []
        self.process = subprocess.Popen([str(word) for word in command + [logits]], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.expect_line()
        self.logits = array.array("f", logits.read_bytes())

    def expect_line(self, wanted=None):
        line = self.process.stdout.readline().strip()
        if not line or (wanted and line != wanted):
            sys.exit(f"compare: {self.name} stopped with exit code {self.process.wait()}")
        return line

    def run(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return [float(time) for time in self.expect_line().split()]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def check_equal(ours, theirs):
    if len(ours.logits) != len(theirs.logits):
        sys.exit(f"compare: {ours.name} gave {len(ours.logits)} logits, "
                 f"{theirs.name} {len(theirs.logits)}")
    worst = max(abs(a - b) for a, b in zip(ours.logits, theirs.logits))
    if not worst <= 1e-3:
        sys.exit(f"compare: logits differ by {worst:.2e}, more than 1e-3")
    return worst


def compare(options, folder, threads, batch):
    ours = Peer("Lamina", [options.build / "benchmarks/lamina_peer", options.weights,
                           folder / "nhwc.bin", batch, threads], folder / "ours.bin")
    theirs = Peer("ONNX Runtime", ["node", HERE / "onnxruntime_peer.mjs", options.onnx,
                                   folder / "nchw.bin", batch, threads], folder / "theirs.bin")
    worst = check_equal(ours, theirs)
    for peer in (ours, theirs):
        peer.run(5)
        peer.count = max(1, int(options.seconds * 1000 / statistics.median(peer.run(5))))
    for _ in range(options.rounds):
        for peer in (ours, theirs):
            peer.times += peer.run(peer.count)
    figures = []
    for peer in (ours, theirs):
        figures += [min(peer.times), statistics.median(peer.times)]
        peer.close()
    our_min, our_median, their_min, their_median = figures
    print(f"{threads:7} {batch:5} {our_min:9.2f} {our_median:7.2f} {their_min:10.2f} "
          f"{their_median:7.2f} {our_min / their_min:9.2f} {our_median / their_median:7.2f} "
          f"{worst:10.1e}", flush=True)


def main():
    options = arguments()
    if not (HERE / "node_modules/onnxruntime-node").is_dir():
        # Its install script would fetch GPU libraries; the CPU ones come with the package.
        subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent",
                        "--no-package-lock"], cwd=HERE, check=True)
    for path in (options.weights, options.onnx, options.build / "benchmarks/lamina_peer"):
        if not path.exists():
            sys.exit(f"compare: there is no {path}")
    print(f"{cpu_name()}; milliseconds per run, minimum and median of alternating rounds")
    print("threads batch    Lamina  median  ONNX Rt.  median  ratio min  median  logits differ")
    with tempfile.TemporaryDirectory() as folder:
        for batch in options.batch:
            write_inputs(pathlib.Path(folder), batch)
            for threads in options.threads:
                compare(options, pathlib.Path(folder), threads, batch)


if __name__ == "__main__":
    main()
