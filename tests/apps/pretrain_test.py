#!/usr/bin/env python3
"""Runs tools/pretrain.py on a small set of pictures. Arguments: pretrain.py, train."""

import fcntl
import json
import pathlib
import random
import re
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PRETRAIN, TRAIN = sys.argv[1:3]
SIDE = 16
QUICK = {"about": "Bars.", "width": 0.25, "epochs": 6, "batch": 16, "lr": 0.02}
LONG = QUICK | {"epochs": 40, "ema": 0.9}


def write_pictures(folder, split, count):
    """IDX files of three classes: a bright bar at the left, in the middle, at the right."""
    source = random.Random(split)
    labels = [i % 3 for i in range(count)]
    pixels = bytearray(source.randrange(100) for _ in range(count * SIDE * SIDE))
    for picture, label in enumerate(labels):
        for row in range(SIDE):
            at = (picture * SIDE + row) * SIDE + 5 * label
            pixels[at : at + 5] = bytes([255] * 5)
    head = struct.pack(">IIII", 0x803, count, SIDE, SIDE)
    (folder / f"{split}-images-idx3-ubyte").write_bytes(head + pixels)
    head = struct.pack(">II", 0x801, count)
    (folder / f"{split}-labels-idx1-ubyte").write_bytes(head + bytes(labels))


def records(log):
    return [json.loads(line) for line in pathlib.Path(log).read_text().splitlines()]


class Pretrain(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.data, self.out = self.folder / "bars", self.folder / "out"
        self.data.mkdir()
        write_pictures(self.data, "train", 48)
        write_pictures(self.data, "t10k", 12)
        (self.folder / "build/apps").mkdir(parents=True)
        (self.folder / "build/apps/train").symlink_to(TRAIN)

    def command(self, recipe, *more):
        path = self.folder / "bars.json"
        path.write_text(json.dumps(recipe))
        return [sys.executable, PRETRAIN, "--recipe", path, "--data", self.data, "--build",
                self.folder / "build", "--out", self.out, *more]

    def run_it(self, recipe, *more):
        return subprocess.run(
            self.command(recipe, *more), capture_output=True, text=True, check=False
        )

    def work(self, name):
        return self.folder / "build/pretrain/bars" / name

    def test_makes_weights_and_a_card(self):
        made = self.run_it(QUICK, "--weights", "--jobs", "2")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(
            sorted(path.name for path in self.out.iterdir()),
            ["bars.md", *(["bars.png"] if self.work("seed1.png").exists() else []),
             "bars.safetensors", *(f"bars.seed{seed}.jsonl" for seed in (1, 2, 3))],
        )
        weights = (self.out / "bars.safetensors").read_bytes()
        self.assertEqual(weights, self.work("seed1.safetensors").read_bytes())
        ends = []
        for seed in (1, 2, 3):
            log = records(self.out / f"bars.seed{seed}.jsonl")
            self.assertEqual([line["kind"] for line in log], ["start", *["epoch"] * 6, "end"])
            self.assertEqual(log[0]["recipe"]["seed"], seed)
            self.assertEqual(log[0]["pictures"], 48)
            ends.append(log[-1])
        card = (self.out / "bars.md").read_text()
        top1 = [100 * end["validation_top1"] for end in ends]
        self.assertIn(
            f"Top-1 {sum(top1) / 3:.2f} % in the mean of 3 seeds, standard deviation "
            f"{statistics.stdev(top1):.2f} points, from {min(top1):.2f} % to {max(top1):.2f} %.",
            card,
        )
        for name, row, recall in zip("012", ends[0]["confusion"], ends[0]["recall"]):
            cells = " | ".join(map(str, row))
            self.assertIn(f"| class {name} | {cells} | {100 * recall:.2f} % |", card)
            self.assertEqual(recall, row[int(name)] / 4)
        self.assertIn("| evaluated on | 12 pictures (test split) |", card)
        self.assertIn(json.dumps(QUICK), card)
        self.assertNotIn(str(self.folder), card)

        again = self.run_it(QUICK, "--weights")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(again.stdout.count("is finished"), 3)
        self.assertNotIn("epoch", again.stdout)
        self.assertEqual((self.out / "bars.md").read_text(), card)

    def test_ships_only_a_table_of_other_recipes(self):
        made = self.run_it(QUICK, "--seeds", "7")
        self.assertEqual(made.returncode, 0, made.stderr)
        names = sorted(path.name for path in self.out.iterdir())
        self.assertEqual(names, ["bars.md", "bars.seed7.jsonl"])
        card = (self.out / "bars.md").read_text()
        self.assertIn("of one seed: its spread is unknown", card)
        self.assertNotIn("Confusion", card)

    def test_goes_on_after_an_interrupt(self):
        whole = self.folder / "whole.safetensors"
        subprocess.run(
            [TRAIN, self.data, "--config", self.command(LONG)[3], "--hold-out", "0", "--seed", "1",
             "--out", whole],
            check=True, capture_output=True,
        )
        process = subprocess.Popen(
            self.command(LONG, "--weights", "--seeds", "1", "2", "--jobs", "2"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for line in process.stdout:
            if re.match(r"seed 1: epoch +2/", line):
                process.send_signal(signal.SIGINT)
                break
        rest, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, rest + errors)
        self.assertIn("pretrain: stops", errors)
        self.assertTrue(self.work("seed1.checkpoint.safetensors").exists())
        self.assertFalse(self.out.exists())
        with open(self.work("seed1.lock"), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # no process has it any more
        again = self.run_it(LONG, "--weights", "--seeds", "1", "2")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("seed 1: going on after ", again.stdout)
        tensors = {}
        for path in (whole, self.out / "bars.safetensors"):
            content = path.read_bytes()
            tensors[path] = content[8 + struct.unpack("<Q", content[:8])[0] :]
        self.assertEqual(*tensors.values())
        log = records(self.out / "bars.seed1.jsonl")
        self.assertEqual(sum(line["kind"] == "epoch" for line in log), 40)
        self.assertEqual(sum(line["kind"] == "resume" for line in log), 1)

    def test_refuses_large_weights_before_the_training(self):
        begin = time.monotonic()
        made = self.run_it(QUICK | {"width": 1.0, "epochs": 100_000}, "--weights")
        self.assertEqual(made.returncode, 1)
        self.assertRegex(
            made.stderr, r"^pretrain: the network has [\d,]+ bytes of weights: at most 4,000,000"
        )
        self.assertFalse(self.out.exists())
        self.assertLess(time.monotonic() - begin, 120)

    def test_refuses_to_mix_recipes(self):
        self.assertEqual(self.run_it(QUICK, "--seeds", "1").returncode, 0)
        made = self.run_it(QUICK | {"lr": 0.5}, "--seeds", "1")
        self.assertEqual(made.returncode, 1)
        self.assertIn("holds a training with another recipe or other pictures", made.stderr)

    def test_tells_that_train_failed(self):
        made = self.run_it(QUICK | {"optimizer": "none"}, "--jobs", "3")
        self.assertEqual(made.returncode, 2)
        self.assertIn("optimizer: must be one of", made.stdout)
        self.assertIn(": train ended with exit code 2\n", made.stderr)
        self.assertFalse(self.out.exists())

    def test_leaves_a_seed_alone_that_is_being_trained(self):
        self.work("").mkdir(parents=True)
        with open(self.work("seed1.lock"), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            made = self.run_it(QUICK)
        self.assertEqual(made.returncode, 1)
        self.assertIn("seed 1: another process trains it at this moment", made.stderr)


unittest.main(argv=sys.argv[:1], verbosity=2)
