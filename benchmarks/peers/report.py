"""What compare.py prints, and the page and the chart it writes."""

import dataclasses
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import chart  # noqa: E402: found through the line above


@dataclasses.dataclass
class Result:
    name: str
    times: list  # milliseconds of every run
    difference: float  # of the logits from Lamina's, at most

    @property
    def figures(self):
        return min(self.times), statistics.median(self.times)


@dataclasses.dataclass
class Case:
    threads: int
    batch: int
    results: list  # Lamina's first

    @property
    def title(self):
        return f"{count(self.threads, 'thread')}, batch {self.batch}"


def count(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"


def ratios(result, ours):
    return [theirs / own for theirs, own in zip(result.figures, ours.figures)]


def print_header():
    print(f"{chart.cpu_name()}; milliseconds a run, minimum and median of alternating rounds,\n"
          "and how many times Lamina's they are\n"
          "threads batch  library                  minimum   median   times  median  "
          "logits differ")


def print_case(case):
    for result in case.results:
        least, middle = result.figures
        by_least, by_middle = ratios(result, case.results[0])
        print(f"{case.threads:7} {case.batch:5}  {result.name:22} {least:9.2f} {middle:8.2f} "
              f"{by_least:7.2f} {by_middle:7.2f} {result.difference:14.1e}", flush=True)


def table(cases, cell):
    """Markdown: a line a library, a column a case."""
    lines = ["| | " + " | ".join(case.title for case in cases) + " |",
             "|---" * (len(cases) + 1) + "|"]
    for row, result in enumerate(cases[0].results):
        cells = [cell(case.results[row], case.results[0]) for case in cases]
        lines.append(f"| {result.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def times_cell(result, _):
    return "{:.2f} / {:.2f}".format(*result.figures)


def ratios_cell(result, ours):
    return "{:.2f} / {:.2f}".format(*ratios(result, ours))


def page(cases):
    worst = max(result.difference for case in cases for result in case.results)
    return f"""# MobileNetV2 beside other libraries

MobileNetV2 1.0 at 224 x 224, float32, with the same weights and the same input; every library in a
process of its own, in alternating rounds. Logits differ from Lamina's by at most {worst:.1e}.
CPU: {chart.cpu_name()}. This page and its chart are written by

```
benchmarks/peers/compare.py --docs docs --onednn-bench build/benchmarks/onednn_peer \\
  --xnnpack-bench build/benchmarks/xnnpack_peer --xnnpack-version 'Aug 2026'
```

![Milliseconds an image by library, threads and batch; lower is better](peers.png)

Milliseconds a run, minimum / median:

{table(cases, times_cell)}

How many times Lamina's, minimum / median:

{table(cases, ratios_cell)}

Settings: XNNPACK through its subgraph interface, NHWC, with its own thread pool; oneDNN as a chain
of primitives with activations and additions as their post-operations, channels last or in blocks,
whichever is faster; ONNX Runtime with all graph optimizations; PyTorch channels last, frozen or
optimized for inference, whichever is faster, with OpenBLAS, and with a malloc that keeps its memory.
PyTorch has no convolution with more padding on one side, so at stride 2 its kernels have a row and a
column of zeros, which is faster than to pad the tensor. XNNPACK and oneDNN are built outside of the
project; `meson setup build -Dxnnpack=PREFIX -Donednn=PREFIX` makes `xnnpack_peer` and `onednn_peer`
in `build/benchmarks` from what is installed there.
"""


def draw_bars(axes, cases, colors=(chart.LAMINA, *chart.PEERS)):
    """Bars of milliseconds an image: the minimum, with a line up to the median."""
    libraries = cases[0].results
    width = 0.84 / len(libraries)
    for row, library in enumerate(libraries):
        for place, case in enumerate(cases):
            least, middle = (time / case.batch for time in case.results[row].figures)
            x = place + (row - (len(libraries) - 1) / 2) * width
            axes.bar(x, least, width * 0.92, color=colors[row],
                     label=library.name if place == 0 else None)
            axes.plot([x, x], [least, middle], color=chart.INK, linewidth=1.2)
            axes.annotate(f"{least:.2f}", (x, max(least, middle)), (0, 3), ha="center",
                          textcoords="offset points", fontsize=8,
                          fontweight="bold" if row == 0 else "normal")
    axes.set_xticks(range(len(cases)), [case.title for case in cases])
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False, axis="x")


def draw(cases, path):
    figure, axes = chart.new(1, (10.5, 4.8))
    draw_bars(axes, cases)
    axes.set_ylabel("milliseconds an image")
    axes.set_title("MobileNetV2 1.0, 224 x 224, float32: lower is better\n", loc="left",
                   fontweight="bold")
    axes.text(0, 1.02, f"{chart.cpu_name()}. Bars: minimum; thin lines: up to the median",
              transform=axes.transAxes, fontsize=9)
    axes.legend(ncols=len(cases[0].results), loc="upper center", bbox_to_anchor=(0.5, -0.08))
    chart.save(figure, path)


def write(folder, cases):
    (folder / "peers.md").write_text(page(cases))
    print(f"wrote {folder / 'peers.md'}")
    draw(cases, folder / "peers.png")
