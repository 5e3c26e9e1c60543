#!/usr/bin/env python3
"""Compares decoding and resizing with Pillow's, bit for bit. Argument: pillow_driver's path."""

import io
import os
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import debian_python

debian_python.need(("numpy", "PIL"), ("python3-numpy", "python3-pil"),
                   fail_without=os.environ.get("LAMINA_REQUIRE_SHARED") == "1")
import numpy as np
from PIL import Image, ImageOps

FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}


class Driver:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, *words):
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.process.stdin.flush()
        head = self.process.stdout.readline().decode()
        if not head or head.startswith("error"):
            return head
        height, width = map(int, head.split())
        pixels = self.process.stdout.read(height * width * 3)
        return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)


def smooth_picture():
    noise = np.random.default_rng(5).integers(0, 256, (12, 9, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((93, 61), Image.BICUBIC)


def jpegs():
    """(name, bytes) of JPEGs in every color space, coding, sampling and orientation."""
    for mode in ("RGB", "L", "CMYK"):
        for options in (
            {},
            {"progressive": True},
            {"subsampling": 0},
            {"subsampling": 1},
            {"quality": 30, "optimize": True},
        ):
            yield f"{mode} {options}", encode(smooth_picture().convert(mode), **options)
    for orientation in range(10):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield f"orientation {orientation}", encode(smooth_picture(), exif=exif)


def encode(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def check(name, got, want):
    if isinstance(got, str) or got.shape != want.shape or (got != want).any():
        sys.exit(f"{name}: differs from Pillow: {got if isinstance(got, str) else got.shape}")


def check_decoding(driver, name, path):
    want = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    check(name, driver(path), np.asarray(want))


def check_resizing(driver, folder, rounds):
    generator = random.Random(11)
    path = folder / "picture.png"
    for number in range(rounds):
        sides = [generator.choice((1, 2, generator.randint(1, 40), generator.randint(1, 400)))
                 for _ in range(4)]
        in_height, in_width, height, width = sides
        pixels = np.random.default_rng(number).integers(
            0, 256, (in_height, in_width, 3), dtype=np.uint8
        )
        if number % 3 == 0:
            pixels = (pixels > 127).astype(np.uint8) * 255
        Image.fromarray(pixels).save(path, compress_level=1)
        for name, filter in FILTERS.items():
            want = np.asarray(Image.fromarray(pixels).resize((width, height), filter))
            check(f"resize {sides} {name}", driver(path, height, width, name), want)
    return rounds * len(FILTERS)


def main():
    driver = Driver(sys.argv[1])
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, data in jpegs():
            (folder / "picture.jpg").write_bytes(data)
            check_decoding(driver, name, folder / "picture.jpg")
            count += 1
        count += check_resizing(driver, folder, 150)
    beside = pathlib.Path(__file__).resolve().parents[3] / "shared/data"
    shared = pathlib.Path(os.environ.get("LAMINA_SHARED_DATA", beside))
    for path in sorted((shared / "imagenet").glob("**/*.[jJ][pP]*[gG]")):
        check_decoding(driver, path.name, path)
        count += 1
    print(f"{count} pictures equal Pillow's")


if __name__ == "__main__":
    main()
