#!/usr/bin/env python3
"""Checks what we write by onnx.checker, and that and what we read by running it in ONNX Runtime.

Argument: onnx_driver's path. ONNX Runtime is npm's onnxruntime-node in benchmarks/peers, where
compare.py installs it, or on NODE_PATH.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "support"))
import debian_python

debian_python.need(("onnx",), ("python3-onnx",),
                   fail_without=os.environ.get("LAMINA_REQUIRE_SHARED") == "1")
import onnx


def check(folder, names):
    problems = []
    for name in names:
        if name.startswith("export_"):  # the others leave out the output's shape
            model = onnx.load(str(folder / f"{name}.onnx"))
            try:
                onnx.checker.check_model(model, full_check=True)
            except Exception as error:  # of several types
                problems.append(f"{name}: {error}")
            if [(item.key, item.value) for item in model.metadata_props] != [("labels", "cat\ndog")]:
                problems.append(f"{name}: metadata is {model.metadata_props}")
    return problems


def find_runtime():
    """The environment in which node finds ONNX Runtime; None where there is none."""
    paths = [str(HERE.parents[2] / "benchmarks/peers/node_modules"), os.environ.get("NODE_PATH", "")]
    environment = {**os.environ, "NODE_PATH": os.pathsep.join(filter(None, paths))}
    if shutil.which("node") is None:
        return None
    found = subprocess.run(["node", "-e", "require('onnxruntime-node')"], env=environment,
                           capture_output=True, check=False)
    return environment if found.returncode == 0 else None


def run(folder, lines, environment):
    answers = subprocess.run(["node", HERE / "runtime.cjs", folder], input=lines, env=environment,
                             capture_output=True, text=True, check=True).stdout
    problems = []
    names = []
    for answer in answers.splitlines():
        name, difference, tolerance, *reason = answer.split(" ")
        names.append(name)
        if not float(difference) <= float(tolerance):
            problems.append(f"{name}: differs by {difference}, at most {tolerance} {' '.join(reason)}")
    expected = [line.split(" ")[0] for line in lines.splitlines()]
    return problems if names == expected else [*problems, f"ran {names}, not {expected}"]


def main():
    with tempfile.TemporaryDirectory() as path:
        folder = pathlib.Path(path)
        lines = subprocess.run([sys.argv[1], folder], check=True, capture_output=True, text=True).stdout
        problems = check(folder, [line.split(" ")[0] for line in lines.splitlines()])
        environment = find_runtime()
        if environment is None:
            print("not run: there is no ONNX Runtime (benchmarks/peers/compare.py installs it)")
        else:
            problems += run(folder, lines, environment)
            print(f"{len(lines.splitlines())} models in ONNX Runtime")
    print("\n".join(problems) or "no problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
