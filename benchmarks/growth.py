#!/usr/bin/python3
"""Measures how the time of one run grows with the pixels and with the batch.

All sizes are measured in alternating rounds on one thread. Prints the minima, the straight line
through the origin that fits them best, and how far they are from it; --docs writes growth.md and
growth.png.
"""

import argparse
import array
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE / "peers"))
import chart  # noqa: E402: found through the line above
import sides  # noqa: E402

SIDES = range(96, 225, 16)
BATCHES = (1, 2, 4, 8, 16, 24, 32, 48, 64)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=pathlib.Path, metavar="SAFETENSORS",
                        default=ROOT.parent / "shared/data/imagenet" /
                        "mobilenet_v2_1.0_224_tf.safetensors")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build",
                        help="build directory of Lamina (default: build)")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=0.2,
                        help="about how long one size runs in one round (default: 0.2)")
    parser.add_argument("--docs", type=pathlib.Path, metavar="FOLDER",
                        help="write growth.md and growth.png there")
    options = parser.parse_args()
    if options.docs and not options.docs.is_dir():
        parser.error(f"--docs: no such folder: {options.docs}")
    for path in (options.weights, options.build / "benchmarks/lamina_peer"):
        if not path.exists():
            sys.exit(f"growth: there is no {path}")
    return options


def measure(options, folder, shapes):
    """The least milliseconds of a run for each (side, batch)."""
    running = []
    for side, batch in shapes:
        pixels = folder / "input.bin"
        pixels.write_bytes(array.array("f", [0.5]).tobytes() * (batch * side * side * 3))
        running.append(sides.Side([options.build / "benchmarks/lamina_peer", options.weights,
                                   pixels, batch, 1], folder / "logits.bin"))
    sides.alternate(running, options.rounds, options.seconds)
    for side in running:
        side.close()
    return [min(side.times) for side in running]


class Line:
    """The line y = slope x with the least squares of relative distances to the points."""

    def __init__(self, x, y):
        self.x, self.y = x, y
        inverse = [b / a for a, b in zip(x, y)]
        self.slope = sum(inverse) / len(inverse)
        self.distances = [value / self.slope - 1 for value in inverse]


def table(heading, names, line):
    lines = [f"| {heading} | milliseconds | from the line |", "|---|---|---|"]
    lines += [f"| {name} | {value:.2f} | {100 * distance:+.1f} % |"
              for name, value, distance in zip(names, line.y, line.distances)]
    return "\n".join(lines)


def page(pixels, batches):
    return f"""# How time grows

Milliseconds of one run, MobileNetV2 1.0, float32, one thread: the least of alternating rounds, and
the straight line through the origin nearest to them. CPU: {chart.cpu_name()}. This page and its
chart are written by

```
benchmarks/growth.py --docs docs
```

![Time by pixels and by batch, with straight lines through the origin](growth.png)

One image, {1000 * pixels.slope:.1f} us a thousand pixels:

{table("side", [f"{side} x {side}" for side in SIDES], pixels)}

Images of 224 x 224, {batches.slope:.2f} ms an image:

{table("batch", BATCHES, batches)}
"""


def draw_panel(axes, line, title, label):
    end = max(line.x) * 1.15
    axes.plot([0, end], [0, end * line.slope], color=chart.PEERS[1], linewidth=1.6,
              label="line through the origin")
    axes.plot(line.x, line.y, "o", color=chart.LAMINA, markersize=6, label="measured minimum")
    axes.set_xlim(0, end)
    axes.set_ylim(0, max(line.y) * 1.15)
    axes.set_xlabel(label)
    axes.set_ylabel("milliseconds")
    axes.set_title(title, loc="left", fontsize=10)
    axes.legend(loc="upper left")


def draw(pixels, batches, path):
    figure, (left, right) = chart.new(2, (10.5, 4.6))
    figure.suptitle(f"MobileNetV2 1.0, float32, one thread, {chart.cpu_name()}", x=0.01,
                    ha="left", fontweight="bold", fontsize=11)
    draw_panel(left, pixels, f"One image: {1000 * pixels.slope:.1f} us a thousand pixels",
               "thousand pixels (sides 96 to 224)")
    for side, x, y in list(zip(SIDES, pixels.x, pixels.y))[::2]:
        left.annotate(f"{side} x {side}", (x, y), (6, -11), textcoords="offset points", fontsize=8)
    draw_panel(right, batches, f"224 x 224: {batches.slope:.2f} ms an image", "images in the batch")
    chart.save(figure, path)


def main():
    options = arguments()
    if options.docs:
        subprocess.run([ROOT / "tools/setup.sh", "peers"], check=False)
    shapes = [(side, 1) for side in SIDES] + [(224, batch) for batch in BATCHES]
    with tempfile.TemporaryDirectory() as folder:
        times = measure(options, pathlib.Path(folder), shapes)
    pixels = Line([side * side / 1000 for side in SIDES], times[:len(SIDES)])
    batches = Line(list(BATCHES), times[len(SIDES):])
    text = page(pixels, batches)
    print(text[text.index("One image"):])
    if options.docs:
        (options.docs / "growth.md").write_text(text)
        print(f"wrote {options.docs / 'growth.md'}")
        draw(pixels, batches, options.docs / "growth.png")


if __name__ == "__main__":
    main()
