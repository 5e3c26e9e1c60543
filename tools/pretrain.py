#!/usr/bin/env python3
"""Trains what models/pretrained/ holds: a recipe with several seeds, from the start to the card.

Called again, it goes on where it was stopped; seeds that are done are not trained again. Unfinished
work lies in BUILD/pretrain/. Ctrl-C saves everything and stops.
"""

import argparse
import fcntl
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time

import pretrained_card

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECIPES = ROOT / "models/recipes"
SHIPPED = ("fashion-mnist",)  # recipes whose weights belong to the project
LARGEST = 4_000_000  # bytes of weights
FLOAT = 4
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Seed:
    """One training: its files, and its process while there is one."""

    def __init__(self, number, folder, recipe, data):
        self.number = number
        self.out = folder / f"seed{number}.safetensors"
        self.checkpoint = folder / f"seed{number}.checkpoint.safetensors"
        self.log = folder / f"seed{number}.jsonl"
        self.curves = folder / f"seed{number}.png"
        self.origin = folder / f"seed{number}.origin.json"
        self.recipe, self.data = recipe, data
        self.process = self.echo = None
        self.is_stopped = False

    def result(self):
        """The Run; None when it is not finished."""
        if self.checkpoint.exists() or not self.out.exists():
            return None
        return pretrained_card.read_run(self.number, self.log)

    def check_origin(self):
        """Refuses to go on with what another recipe or other pictures began."""
        now = {"recipe": self.recipe.read_text(), "data": self.data}
        begun = self.checkpoint.exists() or self.out.exists()
        if begun and (not self.origin.exists() or json.loads(self.origin.read_text()) != now):
            sys.exit(
                f"pretrain: seed {self.number}: {self.out.parent} holds a training with another "
                "recipe or other pictures: delete it to train anew"
            )
        write(self.origin, json.dumps(now).encode())

    def start(self, program, threads):
        """Starts or resumes the process. A lock that it inherits keeps others away."""
        lock = os.open(self.out.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"pretrain: seed {self.number}: another process trains it at this moment")
        command = [program, *train_arguments(self.data, self.recipe, self.number), "--out", self.out]
        command += ["--threads", str(threads)]
        if self.checkpoint.exists():
            command.append("--resume")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[lock],
            start_new_session=True,  # Ctrl-C reaches it through stop() only
        )
        os.close(lock)
        self.echo = threading.Thread(target=self.show)
        self.echo.start()

    def show(self):
        for line in self.process.stdout:
            print(f"seed {self.number}: {line}", end="", flush=True)

    def stop(self):
        """Once: train takes a second signal for impatience."""
        if not self.is_stopped:
            self.is_stopped = True
            self.process.send_signal(signal.SIGINT)

    def wait(self):
        self.process.wait()
        self.echo.join()
        return self.process.returncode

    def parameters(self):
        """As soon as the log tells; 0 before."""
        try:
            with open(self.log, encoding="utf-8") as lines:
                return json.loads(lines.readline())["parameters"]
        except (FileNotFoundError, json.JSONDecodeError, KeyError):
            return 0


def train_arguments(data, recipe, seed):
    """Of train, besides the files: the whole training set, and the test split to report on."""
    return [data, "--config", recipe, "--hold-out", "0", "--seed", str(seed)]


def write(path, content):
    """The file appears complete or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def too_large(size):
    return f"the network has {size:,} bytes of weights: at most {LARGEST:,} are shipped"


class Crew:
    """Up to `jobs` seeds at work at once."""

    def __init__(self, seeds, options):
        self.seeds, self.options = seeds, options
        self.waiting = [seed for seed in seeds if not seed.result()]
        self.running = []
        self.code = 0  # of the first failure
        at_once = min(options.jobs, max(1, len(self.waiting)))
        self.threads = max(1, len(os.sched_getaffinity(0)) // at_once)

    def fail(self, code, message):
        if not self.code:
            self.code = code
            print(f"pretrain: {message}", file=sys.stderr)

    def train(self):
        """Until all are finished, or one failed or a signal came: an exit code then."""
        for seed in self.waiting:
            seed.check_origin()
        before = {one: signal.signal(one, self.receive) for one in SIGNALS}
        try:
            while self.running or (self.waiting and not self.code):
                self.start_some()
                time.sleep(0.05)
                self.collect()
                self.check_size()
                if self.code:
                    self.stop()
        finally:
            self.stop()
            for seed in self.running:
                seed.wait()
            for one, handler in before.items():
                signal.signal(one, handler)
        return self.code

    def receive(self, number, _):
        self.fail(128 + number, "stops: the work is saved")

    def start_some(self):
        while self.waiting and not self.code and len(self.running) < self.options.jobs:
            seed = self.waiting.pop(0)
            seed.start(self.options.build / "apps/train", self.threads)
            self.running.append(seed)

    def collect(self):
        for seed in [seed for seed in self.running if seed.process.poll() is not None]:
            self.running.remove(seed)
            code = abs(seed.wait())
            if code:
                self.fail(code, f"seed {seed.number}: train ended with exit code {code}")

    def check_size(self):
        """Before hours are spent on what is too large to ship."""
        size = FLOAT * self.seeds[0].parameters()
        if self.options.weights and size > LARGEST:
            self.fail(1, too_large(size))

    def stop(self):
        for seed in self.running:
            seed.stop()


def shortened(log):
    """The log without the lines of steps."""
    lines = log.read_bytes().splitlines(keepends=True)
    return b"".join(line for line in lines if json.loads(line)["kind"] != "step")


def shown(path):
    """As a user in the project's folder would name it; outside of it the file's name."""
    return os.path.relpath(path, ROOT) if ROOT in path.parents else path.name


def commands(options, name):
    call = ["tools/pretrain.py", "--recipe", options.recipe, "--seeds", *map(str, options.seeds)]
    if options.data != "fashion-mnist":
        call += ["--data", pathlib.Path(options.data).name]
    data = pathlib.Path(options.data).name
    train = ["train", *train_arguments(data, shown(options.path), options.seeds[0])]
    train += ["--out", f"{name}.safetensors"]
    return ["$ " + shlex.join(call), "# of each seed:", "$ " + shlex.join(train)]


def publish(seeds, options):
    name, out = options.path.stem, options.out
    out.mkdir(parents=True, exist_ok=True)
    first = seeds[0]
    if options.weights:
        weights = first.out.read_bytes()
        if len(weights) > LARGEST:
            sys.exit(f"pretrain: {too_large(len(weights))}")
        write(out / f"{name}.safetensors", weights)
        if first.curves.exists():
            write(out / f"{name}.png", first.curves.read_bytes())
    for seed in seeds:
        write(out / f"{name}.seed{seed.number}.jsonl", shortened(seed.log))
    card = pretrained_card.card(
        name,
        [seed.result() for seed in seeds],
        options.path.read_text(),
        commands(options, name),
        options.data,
        options.weights,
    )
    write(out / f"{name}.md", card.encode())
    print(f"{out / name}.md: written")


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1: {text}")
    return number


def read_options():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog=" ".join(__doc__.splitlines()[2:])
    )
    parser.add_argument("--recipe", default="fashion-mnist", metavar="NAME",
                        help="of models/recipes, or a JSON file (default: %(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="N",
                        help="the first one's weights are shipped (default: 1 2 3)")
    parser.add_argument("--data", default="fashion-mnist",
                        help="as train takes it (default: %(default)s)")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", metavar="FOLDER",
                        help="of meson (default: build)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "models/pretrained",
                        metavar="FOLDER", help="(default: models/pretrained)")
    parser.add_argument("--jobs", type=positive, default=1, metavar="N",
                        help="seeds at once, each with its share of the CPUs (default: 1)")
    parser.add_argument("--weights", action=argparse.BooleanOptionalAction,
                        help=f"ship weights and curves (default: for {', '.join(SHIPPED)})")
    options = parser.parse_args()
    is_file = options.recipe.endswith(".json")
    options.path = pathlib.Path(options.recipe if is_file else RECIPES / f"{options.recipe}.json")
    options.path = options.path.resolve()
    if is_file:
        options.recipe = shown(options.path)
    if options.weights is None:
        options.weights = options.path.stem in SHIPPED
    if not options.path.exists():
        parser.error(f"--recipe: there is no {options.path}")
    if not (options.build / "apps/train").exists():
        parser.error(f"--build: there is no {options.build / 'apps/train'}: build it first")
    if len(set(options.seeds)) != len(options.seeds):
        parser.error("--seeds: must differ")
    return options


def main():
    options = read_options()
    folder = options.build.resolve() / "pretrain" / options.path.stem
    folder.mkdir(parents=True, exist_ok=True)
    seeds = [Seed(number, folder, options.path, options.data) for number in options.seeds]
    for seed in seeds:
        if seed.result():
            seed.check_origin()
            print(f"seed {seed.number}: is finished")
    code = Crew(seeds, options).train()
    if code:
        print(f"pretrain: stopped: what was done is kept in {folder}", file=sys.stderr)
        return code
    publish(seeds, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
