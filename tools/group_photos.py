#!/usr/bin/env python3
"""Sorts photos that are named after WordNet nouns, as ImageNet's, into a folder for each group.

A photo n02085936_*.JPEG shows the noun 02085936 of WordNet 3.0 (Debian: wordnet-base), a Maltese dog,
and belongs to the group that is nearest among its hypernyms: with the groups dog and mammal, to dog.
A group is a noun in its first sense, or in that of a number: food.2. What belongs to none is left
out. The folder holds symbolic links.
"""

import argparse
import os
import pathlib
import re
import sys

HYPERNYMS = ("@", "@i")


class WordNet:
    def __init__(self, folder):
        self.senses = {}  # "dog": the offsets of its senses, the commonest first
        with open(folder / "index.noun", encoding="ascii") as lines:
            for line in lines:
                if not line.startswith(" "):
                    word, *rest = line.split()
                    self.senses[word] = rest[-int(rest[1]) :]
        self.above = {}  # offset: those of its hypernyms
        with open(folder / "data.noun", encoding="ascii") as lines:
            for line in lines:
                if not line.startswith(" "):
                    words = line.split("|")[0].split()
                    self.above[words[0]] = self.hypernyms(words)

    @staticmethod
    def hypernyms(words):
        begin = 4 + 2 * int(words[3], 16)
        pointers = words[begin + 1 : begin + 1 + 4 * int(words[begin])]
        return [pointers[i + 1] for i in range(0, len(pointers), 4) if pointers[i] in HYPERNYMS]

    def offset(self, group):
        word, _, sense = group.partition(".")
        senses = self.senses.get(word.lower(), [])
        number = int(sense) if sense.isdigit() else 1
        if not 1 <= number <= len(senses) or (sense and not sense.isdigit()):
            sys.exit(f"{group}: must be a noun of WordNet: {word} has {len(senses)} senses")
        return senses[number - 1]

    def nearest(self, offset, groups):
        """The group of fewest steps up from the noun, or None. `groups`: names by offset."""
        level, seen = [offset], set()
        while level:
            found = [groups[one] for one in level if one in groups]
            if found:
                return min(found)
            seen.update(level)
            level = [up for one in level for up in self.above.get(one, []) if up not in seen]
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=pathlib.Path, help="folder of n01234567_name.JPEG")
    parser.add_argument("out", type=pathlib.Path, help="folder to make")
    parser.add_argument("groups", nargs="+", metavar="NOUN", help="as dog, musical_instrument")
    parser.add_argument("--wordnet", type=pathlib.Path, default=pathlib.Path("/usr/share/wordnet"))
    options = parser.parse_args()
    if not (options.wordnet / "data.noun").exists():
        sys.exit(f"{options.wordnet}: no data.noun: install wordnet-base")
    if options.out.exists():
        sys.exit(f"{options.out}: exists: name a folder to make")
    wordnet = WordNet(options.wordnet)
    groups = {wordnet.offset(group): group for group in options.groups}
    counts = dict.fromkeys(options.groups, 0)
    left = 0
    for photo in sorted(options.photos.resolve().iterdir()):
        noun = re.match(r"n(\d{8})[_.].*\.(jpe?g|png)$", photo.name, re.IGNORECASE)
        group = wordnet.nearest(noun[1], groups) if noun else None
        if group is None:
            left += 1
            continue
        folder = options.out / group.partition(".")[0]
        folder.mkdir(parents=True, exist_ok=True)
        os.symlink(photo, folder / photo.name)
        counts[group] += 1
    print(", ".join(f"{count} {group}" for group, count in counts.items()) + f"; {left} left out")


if __name__ == "__main__":
    main()
