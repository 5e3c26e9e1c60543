#!/usr/bin/env python3
"""Rewrites the names in data/imagenet_labels.txt from WordNet 3.0 (Debian: wordnet-base).

A class of ImageNet is a noun of WordNet: its number, n01440764, is the noun's offset in data.noun,
and its name is the noun's words in WordNet's order. Only the numbers are read from the label file.
"""

import argparse
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED = 77  # the exit code that meson's tests know


def noun_names(data_noun):
    """{offset: "first word, second word, ..."} of every noun."""
    names = {}
    with open(data_noun, encoding="ascii") as lines:
        for line in lines:
            if line.startswith(" "):
                continue
            offset, _, _, count, *rest = line.split(" ")
            words = rest[: 2 * int(count, 16) : 2]
            names[offset] = ", ".join(word.replace("_", " ") for word in words)
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=pathlib.Path, default=ROOT / "data/imagenet_labels.txt")
    parser.add_argument("--wordnet", type=pathlib.Path, default=pathlib.Path("/usr/share/wordnet"))
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args()

    data_noun = options.wordnet / "data.noun"
    if not data_noun.exists():
        print(f"{data_noun}: not found: install wordnet-base")
        sys.exit(1 if os.environ.get("LAMINA_REQUIRE_SHARED") == "1" else SKIPPED)
    names = noun_names(data_noun)
    before = options.labels.read_text(encoding="ascii")
    numbers = [line.split()[0] for line in before.splitlines()]
    if numbers != sorted(set(numbers)):
        sys.exit(f"{options.labels}: the WordNet numbers must ascend")
    after = "".join(f"{number} {names[number[1:]]}\n" for number in numbers)
    if options.check:
        sys.exit(0 if before == after else f"{options.labels}: differs from WordNet's names")
    options.labels.write_text(after, encoding="ascii")


if __name__ == "__main__":
    main()
