"""The processes that compare.py measures: each answers requests to run the network a few times."""

import array
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# A tensor of a batch is larger than what malloc keeps: PyTorch would ask the kernel for zeroed
# pages in every layer, which doubles its time.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 36)}


class Side:
    """One library with the network loaded. `name` is what the process calls itself, `output` what
    it computed first, which it writes to the file given last."""

    def __init__(self, command, output, environment=None):
        self.times = []
        self.program = pathlib.Path(command[0]).name
        self.process = subprocess.Popen([str(word) for word in (*command, output)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env={**os.environ, **(environment or {})})
        self.name = self.answer().removeprefix("ready ").strip()
        self.output = array.array("f", output.read_bytes())

    def answer(self):
        line = self.process.stdout.readline().strip()
        if not line:
            sys.exit(f"{self.program} stopped with exit code {self.process.wait()}")
        return line

    def run(self, count):
        """The milliseconds of that many runs."""
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return [float(time) for time in self.answer().split()]

    def take_turn(self, seconds):
        """Adds the times of about so many seconds of runs, after one that is not counted."""
        if not self.times:
            self.run(3)
            self.count = max(2, int(seconds * 1000 / statistics.median(self.run(3))))
        time.sleep(0.05)  # the threads of the side before may still wait for work
        self.times += self.run(self.count + 1)[1:]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def alternate(sides, rounds, seconds):
    """Measures all in turns, so that a change in the machine's speed meets every side."""
    for _ in range(rounds):
        for side in sides:
            side.take_turn(seconds)


def install_onnxruntime():
    """Whether ONNX Runtime is there now; its CPU libraries come with the package."""
    if (HERE / "node_modules/onnxruntime-node").is_dir():
        return True
    return shutil.which("npm") is not None and subprocess.run(
        ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent",
         "--no-package-lock"], cwd=HERE).returncode == 0


def has_torch():
    probe = subprocess.run(["/usr/bin/python3", "-c", "import torch"], stderr=subprocess.DEVNULL)
    return probe.returncode == 0


def commands(options):
    """The command line of each peer that is here, without input, batch, threads and logits."""
    found = {"lamina": ([options.build / "benchmarks/lamina_peer", options.weights], {})}
    if options.xnnpack_bench:
        found["xnnpack"] = ([options.xnnpack_bench, options.weights], {})
    if options.onednn_bench:
        found["onednn"] = ([options.onednn_bench, options.weights], {})
    if install_onnxruntime():
        found["onnxruntime"] = (["node", HERE / "onnxruntime_peer.mjs", options.onnx], {})
    else:
        print("ONNX Runtime is left out: it needs npm")
    if has_torch():
        found["pytorch"] = (["/usr/bin/python3", HERE / "pytorch_peer.py", options.weights],
                            KEEP_MEMORY)
    else:
        print("PyTorch is left out: Debian's python3-torch is not installed")
    return found
