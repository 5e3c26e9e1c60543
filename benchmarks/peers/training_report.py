"""What train.py prints, and the page and the chart it writes."""

import dataclasses

import report
from report import chart


@dataclasses.dataclass
class Result(report.Result):
    layout: str  # of PyTorch's images and weights
    megabytes: float  # at most while training


@dataclasses.dataclass
class Case(report.Case):
    size: int  # of the images, either way

    @property
    def title(self):
        return f"{super().title}, {self.size} x {self.size}"

    def with_faster_layouts(self):
        """Of results with one name, the one with the least median."""
        best = {}
        for result in self.results:
            held = best.setdefault(result.name, result)
            best[result.name] = min(held, result, key=lambda candidate: candidate.figures[1])
        return dataclasses.replace(self, results=list(best.values()))


def megabytes_an_image(case, result):
    return result.megabytes / case.batch


def print_header():
    print(f"{chart.cpu_name()}; milliseconds a training step, minimum and median of alternating\n"
          "rounds, and how many times Lamina's they are; peak memory in MB an image\n"
          "threads batch size  library                        layout           minimum   median   "
          "times  median  MB/image  losses differ")


def print_case(case):
    for result in case.results:
        least, middle = result.figures
        by_least, by_middle = report.ratios(result, case.results[0])
        print(f"{case.threads:7} {case.batch:5} {case.size:4}  {result.name:30} "
              f"{result.layout:14} {least:9.2f} {middle:8.2f} {by_least:7.2f} {by_middle:7.2f} "
              f"{megabytes_an_image(case, result):9.2f} {result.difference:14.1e}", flush=True)


def memory_table(cases):
    """Markdown: megabytes an image and how many times Lamina's, a line a library."""
    rows = dict.fromkeys(result.name for result in cases[0].results)
    lines = ["| | " + " | ".join(case.title for case in cases) + " |",
             "|---" * (len(cases) + 1) + "|"]
    for row, name in enumerate(rows):
        cells = []
        for case in cases:
            own, ours = (megabytes_an_image(case, case.results[i]) for i in (row, 0))
            cells.append(f"{own:.2f} ({own / ours:.2f})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def layout_cell(result, _):
    return result.layout


def page(cases):
    worst = max(result.difference for case in cases for result in case.results)
    return f"""# Training steps beside PyTorch

One step of MobileNetV2 1.0 in float32: forward pass, cross-entropy, backward pass, SGD with momentum
0.9 and decay 4e-5; without dropout, from the same weights and with the same random batch, each side
in a process of its own, in alternating rounds. The losses of the first three steps differ from
Lamina's by at most {worst:.1e} of them. CPU: {chart.cpu_name()}. This page
and its chart are written by

```
benchmarks/peers/train.py --docs docs
```

![Milliseconds an image by library, threads and size; lower is better](training_speed.png)

Milliseconds a step, minimum / median:

{report.table(cases, report.times_cell)}

How many times Lamina's, minimum / median:

{report.table(cases, report.ratios_cell)}

Peak memory while training, MB an image (how many times Lamina's):

{memory_table(cases)}

That is the process's peak resident memory, less what it had taken up before its first step.

Settings: PyTorch in the faster of its two memory layouts by the median, below, and denormals flushed;
once with the C library's malloc as it comes, which returns large blocks to the system and gets zeroed
pages in every layer, and once told to keep its memory (`MALLOC_MMAP_MAX_=0` and a high
`MALLOC_TRIM_THRESHOLD_`). Lamina keeps the memory of large tensors by itself and flushes denormals
as `train` does.

{report.table([dataclasses.replace(case, results=case.results[1:]) for case in cases], layout_cell)}

Where Lamina's time goes, by layer and gradient: `build/benchmarks/training`.
"""


def draw(cases, path):
    sizes = list(dict.fromkeys((case.batch, case.size) for case in cases))
    figure, panels = chart.new(len(sizes), (5.25 * len(sizes), 4.8))
    for axes, (batch, size) in zip(panels if len(sizes) > 1 else [panels], sizes):
        shown = [case for case in cases if (case.batch, case.size) == (batch, size)]
        report.draw_bars(axes, shown)
        axes.set_xticks(range(len(shown)),
                        [report.count(case.threads, "thread") for case in shown])
        axes.set_title(f"batch {batch}, {size} x {size}", loc="left", fontsize=10)
        axes.set_ylabel("milliseconds an image")
        axes.set_ylim(top=1.25 * axes.get_ylim()[1])  # room for the legend
        axes.legend(loc="upper right")
    figure.suptitle("Training steps of MobileNetV2 1.0, float32: lower is better\n"
                    f"{chart.cpu_name()}. Bars: minimum; thin lines: up to the median", x=0.01,
                    ha="left", fontsize=10)
    chart.save(figure, path)


def write(folder, cases):
    (folder / "training_speed.md").write_text(page(cases))
    print(f"wrote {folder / 'training_speed.md'}")
    draw(cases, folder / "training_speed.png")
