#!/usr/bin/python3
"""Times training steps of MobileNetV2 1.0 beside PyTorch: same weights, same batch, in turns.

A step is forward pass, loss, backward pass and SGD with momentum and decay, without dropout. The
losses of the first steps are compared with Lamina's before anything is timed. PyTorch runs in both
of its memory layouts, each with the C library's malloc as it is and with one that keeps its memory;
of two layouts the faster counts. Prints minima and medians in milliseconds, how many times Lamina's
they are, and the memory that training takes an image; --docs writes them as a page with a chart.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy

import sides
import training_report

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Of losses, relative. Each step lowers them by about 1.5e-2; PyTorch's two layouts, and float64,
# differ from each other by up to 7e-5.
TOLERANCE = 2e-4


def case(word):
    match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", word)
    if not match:
        raise argparse.ArgumentTypeError(f"must be BATCHxSIZE, as 32x224: got {word}")
    return tuple(map(int, match.groups()))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build",
                        help="build directory of Lamina (default: build)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--cases", type=case, nargs="+", default=[(32, 224), (128, 32)],
                        metavar="BATCHxSIZE", help="(default: 32x224 128x32)")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.5,
                        help="about how long one side runs in one round (default: 0.5)")
    parser.add_argument("--docs", type=pathlib.Path, metavar="FOLDER",
                        help="write training_speed.md and training_speed.png there")
    options = parser.parse_args()
    if options.docs and not options.docs.is_dir():
        parser.error(f"--docs: no such folder: {options.docs}")
    options.program = options.build / "benchmarks/lamina_trainer"
    if not options.program.exists():
        sys.exit(f"train: there is no {options.program}")
    return options


def write_batch(folder, batch, size):
    """Random pictures and labels."""
    rng = numpy.random.default_rng(7)
    rng.uniform(-1, 1, batch * size * size * 3).astype(numpy.float32).tofile(folder / "images.bin")
    rng.integers(0, 1000, batch).astype(numpy.uint32).tofile(folder / "labels.bin")


def start_sides(options, folder, batch, threads):
    """Lamina, then PyTorch by malloc and layout."""
    rest = [folder / "weights.safetensors", folder / "images.bin", folder / "labels.bin", batch,
            threads]
    running = [sides.Side([options.program, *rest], folder / "output.bin")]
    for kept, environment in (("", {}), (", memory kept", sides.KEEP_MEMORY)):
        for layout in ("contiguous", "channels_last"):
            side = sides.Side([HERE / "pytorch_trainer.py", layout, *rest],
                              folder / "output.bin", environment)
            side.name += kept
            side.layout = layout.replace("_", " ")
            running.append(side)
    return running


def check_losses(ours, theirs):
    """The largest relative difference of the losses."""
    worst = max(abs(a - b) / abs(a) for a, b in zip(ours.output[:-1], theirs.output[:-1]))
    if not worst <= TOLERANCE:
        sys.exit(f"train: {theirs.name}: losses {list(theirs.output[:-1])} differ by {worst:.2e} "
                 f"from {list(ours.output[:-1])}, more than {TOLERANCE:.0e}")
    return worst


def peak_megabytes(side):
    """What a side took up at most, less what it did before its first step, which ends its output."""
    status = pathlib.Path(f"/proc/{side.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) * 1.024e-3 - side.output[-1]


def measure(options, folder, threads, batch, size):
    running = start_sides(options, folder, batch, threads)
    differences = [check_losses(running[0], side) for side in running]
    sides.alternate(running, options.rounds, options.seconds)
    results = []
    for side, difference in zip(running, differences):
        results.append(training_report.Result(
            side.name, side.times, difference, layout=getattr(side, "layout", ""),
            megabytes=peak_megabytes(side)))
        side.close()
    return training_report.Case(threads, batch, results, size)


def main():
    options = arguments()
    subprocess.run([ROOT / "tools/setup.sh", "peers"], check=False)
    if not sides.has_torch():
        sys.exit("train: needs Debian's python3-torch")
    cases = []
    training_report.print_header()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([options.program, folder / "weights.safetensors"], check=True)
        for batch, size in options.cases:
            write_batch(folder, batch, size)
            for threads in options.threads:
                cases.append(measure(options, folder, threads, batch, size))
                training_report.print_case(cases[-1])
    if options.docs:
        training_report.write(options.docs, [case.with_faster_layouts() for case in cases])


if __name__ == "__main__":
    main()
