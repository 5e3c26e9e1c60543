#!/usr/bin/env python3
"""Compares sets of pictures with the arrays they were written from, color changes with Pillow's,
random draws with torchvision's rules in numpy. Argument: dataset_driver's path."""

import colorsys
import gzip
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import debian_python

debian_python.need(("numpy", "PIL"), ("python3-numpy", "python3-pil"),
                   fail_without=os.environ.get("LAMINA_REQUIRE_SHARED") == "1")
import numpy as np
from PIL import Image, ImageEnhance, ImageOps


class Driver:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, *words):
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.process.stdin.flush()
        head = self.process.stdout.readline().decode().strip()
        if not head.isdigit():
            sys.exit(f"{words}: {head}")
        return self.process.stdout.read(int(head))


def expect(condition, *what):
    if not condition:
        sys.exit(" ".join(map(str, what)))


def picture_of(data, offset=0):
    height, width = struct.unpack_from("<II", data, offset)
    pixels = np.frombuffer(data, np.uint8, height * width * 3, offset + 8)
    return pixels.reshape(height, width, 3)


def read_set(driver, folder, split):
    """(class names, labels, pictures)."""
    data = driver("set", folder, split)
    offset = data.index(b"\n\n") + 2
    names = data[: offset - 2].decode().split("\n")
    labels, pictures = [], []
    while offset < len(data):
        labels.append(struct.unpack_from("<I", data, offset)[0])
        pictures.append(picture_of(data, offset + 4))
        offset += 12 + pictures[-1].size
    return names, labels, pictures


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def check_idx(driver, folder, generator):
    for part, count in (("train", 23), ("t10k", 7)):
        images = generator.integers(0, 256, (count, 5, 9), dtype=np.uint8)
        labels = generator.integers(0, 4, count, dtype=np.uint8)
        labels[:4] = range(4)
        compress = gzip.compress if part == "train" else lambda data: data
        ending = ".gz" if part == "train" else ""
        (folder / f"{part}-images-idx3-ubyte{ending}").write_bytes(compress(idx(images)))
        (folder / f"{part}-labels-idx1-ubyte{ending}").write_bytes(compress(idx(labels)))
        names, got_labels, pictures = read_set(
            driver, folder, "train" if part == "train" else "test"
        )
        expect(names == [f"class {i}" for i in range(4)], "idx names", names)
        expect(got_labels == labels.tolist(), "idx labels", part)
        expect((np.stack(pictures) == images[..., None]).all(), "idx pictures", part)
    expect(len(read_set(driver, folder, "all")[1]) == 30, "idx all")


def check_cifar(driver, folder, generator):
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship"]
    (folder / "batches.meta.txt").write_text("\n".join(names + ["truck", "", ""]))
    planes, labels = [], []
    for file in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
        planes.append(generator.integers(0, 256, (3, 3, 32, 32), dtype=np.uint8))
        labels.append(generator.integers(0, 10, 3, dtype=np.uint8))
        records = np.concatenate([labels[-1][:, None], planes[-1].reshape(3, -1)], axis=1)
        (folder / file).write_bytes(records.astype(np.uint8).tobytes())
    for split, part in (("train", slice(0, 5)), ("test", slice(5, 6)), ("all", slice(0, 6))):
        got_names, got_labels, pictures = read_set(driver, folder, split)
        expect(got_names == names + ["truck"], "cifar names", got_names)
        expect(got_labels == np.concatenate(labels[part]).tolist(), "cifar labels", split)
        want = np.concatenate(planes[part]).transpose(0, 2, 3, 1)
        expect((np.stack(pictures) == want).all(), "cifar pictures", split)


def check_image_folder(driver, folder, generator):
    want = []
    for label, name in enumerate(("Zebra", "ant", "bee")):
        (folder / name / "below").mkdir(parents=True)
        for file in ("a.png", "b.PNG", "below/c.png"):
            mode_l = file.startswith("b.")
            sides = generator.integers(1, 30, 2)
            pixels = generator.integers(0, 256, (*sides, 3), dtype=np.uint8)
            image = Image.fromarray(pixels).convert("L") if mode_l else Image.fromarray(pixels)
            image.save(folder / name / file, "PNG")
            want.append((label, np.asarray(image.convert("RGB"))))
    names, labels, pictures = read_set(driver, folder, "train")
    expect(names == ["Zebra", "ant", "bee"], "folder names", names)
    expect(labels == [label for label, _ in want], "folder labels", labels)
    for got, (_, pixels) in zip(pictures, want):
        expect(got.shape == pixels.shape and (got == pixels).all(), "folder pictures")


def check_fashion_mnist(driver):
    dirs = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    for folder in (pathlib.Path(dir) / "datasets/fashion-mnist" for dir in dirs.split(":")):
        if folder.exists():
            for split, part in (("train", "train"), ("test", "t10k")):
                images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
                labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
                names, got_labels, pictures = read_set(driver, folder, split)
                expect(names[0] == "T-shirt/top" and len(names) == 10, "fashion names", names)
                expect(bytes(got_labels) == labels[8:], "fashion labels")
                gray = np.stack([picture[..., 1] for picture in pictures])
                expect(gray.tobytes() == images[16:], "fashion pictures")
            return "Fashion-MNIST too"
    return "no dataset-fashion-mnist"


def check_colors(driver, folder, generator):
    path = folder / "color.png"
    enhance = {
        "brightness": ImageEnhance.Brightness,
        "contrast": ImageEnhance.Contrast,
        "saturation": ImageEnhance.Color,
    }
    for number in range(40):
        pixels = generator.integers(0, 256, (*generator.integers(1, 40, 2), 3), dtype=np.uint8)
        pixels = pixels // (number % 4 + 1) + number
        image = Image.fromarray(pixels.astype(np.uint8))
        image.save(path)
        for name, kind in enhance.items():
            factor = float(np.float32(generator.uniform(0, 2.5)))
            got = picture_of(driver("color", path, name, repr(factor)))
            want = np.asarray(kind(image).enhance(factor))
            expect((got == want).all(), f"{name} {factor}: differs from Pillow's")


def check_hue(driver, folder, generator):
    path = folder / "hue.png"
    pixels = generator.integers(0, 256, (20, 20, 3), dtype=np.uint8)
    pixels[0] = pixels[0, :, :1]
    Image.fromarray(pixels).save(path)
    for turn in (0.0, 0.1, -0.2, 0.5, -0.5, 1 / 3):
        got = picture_of(driver("color", path, "hue", repr(turn))).reshape(-1, 3)
        for rgb, result in zip(pixels.reshape(-1, 3), got):
            hue, saturation, value = colorsys.rgb_to_hsv(*(rgb / 255))
            want = np.array(colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value)) * 255
            expect(np.abs(want - result).max() <= 0.501, f"hue {turn}: {rgb} {result} {want}")


def trivial_pictures(generator):
    """Of noise, few values, one value and gradients; gray and in color; of any sides."""
    for number in range(24):
        sides = (28, 28) if number % 4 == 0 else generator.integers(1, 50, 2)
        channels = 1 if number % 2 else 3
        pixels = generator.integers(0, 256, (*sides, channels)) // (number % 5 + 1) + number
        if number % 6 == 5:
            pixels = pixels // 40 * 40 + 5
        if number == 23:
            pixels[:] = 77
        yield Image.fromarray(np.broadcast_to(pixels, (*sides, 3)).astype(np.uint8))


def changes_of_trivial(image, generator):
    """Each of TrivialAugment's changes at a random strength: its command, and Pillow's picture."""
    signed = lambda most: float(generator.uniform(-most, most))
    affine = lambda *numbers: image.transform(image.size, Image.AFFINE, numbers, Image.NEAREST)
    x, y, shift, angle = signed(0.99), signed(0.99), int(signed(33)), signed(135)
    factor, threshold = (float(np.float32(generator.uniform(0, top))) for top in (2, 256))
    bits = int(generator.integers(2, 9))
    yield f"affine 1 {x!r} 0 0 1 0", affine(1, x, 0, 0, 1, 0)
    yield f"affine 1 0 0 {y!r} 1 0", affine(1, 0, 0, y, 1, 0)
    yield f"affine 1 0 {shift} 0 1 0", affine(1, 0, shift, 0, 1, 0)
    yield f"affine 1 0 0 0 1 {shift}", affine(1, 0, 0, 0, 1, shift)
    yield f"rotate {angle!r}", image.rotate(angle)
    yield f"sharpness {factor!r}", ImageEnhance.Sharpness(image).enhance(factor)
    yield f"posterize {bits}", ImageOps.posterize(image, bits)
    yield f"solarize {threshold!r}", ImageOps.solarize(image, threshold)
    yield "autocontrast", ImageOps.autocontrast(image)
    yield "equalize", ImageOps.equalize(image)


def check_trivial(driver, folder, generator):
    path = folder / "trivial.png"
    for image in trivial_pictures(generator):
        image.save(path)
        for command, want in changes_of_trivial(image, generator):
            got = picture_of(driver("change", path, command))
            expect((got == np.asarray(want)).all(), f"{command}: differs from Pillow's")


def every_trivial(image):
    """What TrivialAugment's wide space may make of a picture, as bytes: the kinds that do."""
    results = {}

    def add(kind, result):
        results.setdefault(np.asarray(result).tobytes(), set()).add(kind)

    affine = lambda *numbers: image.transform(image.size, Image.AFFINE, numbers, Image.NEAREST)
    add("as it is", image)
    add("autocontrast", ImageOps.autocontrast(image))
    add("equalize", ImageOps.equalize(image))
    for level in np.arange(31, dtype=np.float32) / np.float32(30):
        add("posterize", ImageOps.posterize(image, int(8 - np.round(6 * level))))
        add("solarize", ImageOps.solarize(image, float(np.float32(255) * (1 - level))))
        for signed in (level, -level):
            shear, shift = 0.99 * float(signed), int(32 * float(signed))
            add("shear x", affine(1, shear, 0, 0, 1, 0))
            add("shear y", affine(1, 0, 0, shear, 1, 0))
            add("shift x", affine(1, 0, shift, 0, 1, 0))
            add("shift y", affine(1, 0, 0, 0, 1, shift))
            add("rotate", image.rotate(135 * float(signed)))
            factor = float(np.float32(1) + np.float32(0.99) * level * np.sign(signed))
            for kind in ("Brightness", "Color", "Contrast", "Sharpness"):
                add(kind, getattr(ImageEnhance, kind)(image).enhance(factor))
    return results


def check_trivial_draws(driver, folder, generator):
    path = folder / "trivial.png"
    image = Image.fromarray(generator.integers(30, 200, (40, 40, 3), dtype=np.uint8))
    image.save(path)
    possible, counts, count = every_trivial(image), {}, 4000
    for seed in range(count):
        got = picture_of(driver("change", path, "trivial", seed)).tobytes()
        expect(got in possible, f"trivial {seed}: no change of the paper's")
        if len(possible[got]) == 1:
            (kind,) = possible[got]
            counts[kind] = counts.get(kind, 0) + 1
    expect(len(counts) == 13, "trivial: kinds", counts)  # all that change something
    for kind, seen in counts.items():
        expect(0.75 < seen / count * 14 < 1.25, f"trivial: {kind} came {seen} times of {count}")


def check_crops(driver, folder, generator):
    path = folder / "crop.png"
    mean = np.array([0.485, 0.456, 0.406], np.float32)
    std = np.array([0.229, 0.224, 0.225], np.float32)
    for seed in range(30):
        sides = generator.integers(1, 90, 2)
        image = Image.fromarray(generator.integers(0, 256, (*sides, 3), dtype=np.uint8))
        image.save(path)
        data = driver("crop", path, 24, seed)
        top, left, height, width = np.frombuffer(data, np.float64, 4).astype(int)
        cut = image.crop((left, top, left + width, top + height)).resize((24, 24), Image.BILINEAR)
        want = (np.asarray(cut).astype(np.float32) / np.float32(255) - mean) / std
        got = np.frombuffer(data, np.float32, offset=32).reshape(24, 24, 3)
        expect((got == want).all(), f"crop of {sides}: differs from Pillow's")


def torchvision_crop(generator, height, width, scale, ratio):
    for _ in range(10):
        area = height * width * generator.uniform(*scale)
        aspect = np.exp(generator.uniform(*np.log(ratio)))
        w, h = int(round(np.sqrt(area * aspect))), int(round(np.sqrt(area / aspect)))
        if 0 < w <= width and 0 < h <= height:
            return generator.integers(height - h + 1), generator.integers(width - w + 1), h, w
    h, w = height, width
    if width / height < min(ratio):
        h = int(round(width / min(ratio)))
    elif width / height > max(ratio):
        w = int(round(height * max(ratio)))
    return (height - h) // 2, (width - w) // 2, h, w


def torchvision_erasing(generator, height, width):
    for _ in range(10):
        area = height * width * generator.uniform(0.02, 0.33)
        aspect = np.exp(generator.uniform(*np.log((0.3, 3.3))))
        h, w = int(round(np.sqrt(area * aspect))), int(round(np.sqrt(area / aspect)))
        if 0 < h < height and 0 < w < width:
            return generator.integers(height - h + 1), generator.integers(width - w + 1), h, w
    return 0, 0, 0, 0


def cutmix(generator, height, width, kept):
    y, x = generator.integers(height), generator.integers(width)
    half = 0.5 * np.sqrt(1 - kept)
    h, w = int(half * height), int(half * width)
    top, left = max(y - h, 0), max(x - w, 0)
    return top, left, min(y + h, height) - top, min(x + w, width) - left


def expect_same_distribution(name, got, want):
    """Two samples of one size, by Kolmogorov and Smirnov's statistic at the level 0.0001."""
    values = np.unique(np.concatenate([got, want]))
    steps = [np.searchsorted(np.sort(x), values, side="right") / len(x) for x in (got, want)]
    distance = np.abs(steps[0] - steps[1]).max()
    bound = np.sqrt(-np.log(0.0001 / 2) / len(got))
    expect(distance <= bound, f"{name}: distributions are {distance} apart, bound {bound}")


def check_draws(driver, generator):
    count = 20000
    rules = {
        "crop 0.08 90 160": lambda: torchvision_crop(generator, 90, 160, (0.08, 1), (3 / 4, 4 / 3)),
        "crop 0.9 20 100": lambda: torchvision_crop(generator, 20, 100, (0.9, 1), (3 / 4, 4 / 3)),
        "crop 0.9 99 10": lambda: torchvision_crop(generator, 99, 10, (0.9, 1), (3 / 4, 4 / 3)),
        "erasing 1 28 28": lambda: torchvision_erasing(generator, 28, 28),
        "erasing 1 6 90": lambda: torchvision_erasing(generator, 6, 90),
        "cutmix 0.4 32 20": lambda: cutmix(generator, 32, 20, np.float64(np.float32(0.4))),
    }
    for command, rule in rules.items():
        got = np.frombuffer(driver("draws", command, count), np.float64).reshape(-1, 4)
        want = np.array([rule() for _ in range(count)], np.float64)
        for column, name in enumerate(("top", "left", "height", "width")):
            expect_same_distribution(f"{command}: {name}", got[:, column], want[:, column])
        areas = [x[:, 2] * x[:, 3] for x in (got, want)]
        expect_same_distribution(f"{command}: area", *areas)
    erased = np.frombuffer(driver("draws", "erasing 0.25 28 28", count), np.float64).reshape(-1, 4)
    expect(abs((erased[:, 2] > 0).mean() - 0.25) < 0.0123, "erasing: share of pictures")
    for alpha in (0.05, 0.2, 1.0, 4.0):
        got = np.frombuffer(driver("draws beta", alpha, 1, 1, count), np.float64)
        expect_same_distribution(f"beta {alpha}", got, generator.beta(alpha, alpha, count))


def main():
    driver = Driver(sys.argv[1])
    generator = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for check in (check_idx, check_cifar, check_image_folder, check_colors, check_hue,
                      check_trivial, check_trivial_draws, check_crops):
            (folder / check.__name__).mkdir()
            check(driver, folder / check.__name__, generator)
    check_draws(driver, generator)
    print(f"sets, colors, crops and draws agree; {check_fashion_mnist(driver)}")


if __name__ == "__main__":
    main()
