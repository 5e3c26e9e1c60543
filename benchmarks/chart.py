"""What the charts of docs/ have in common."""

import os
import pathlib

INK = "#24292f"
GRID = "#d8dee4"
LAMINA = "#c2410c"
PEERS = ["#1d4e89", "#4a8fc1", "#7fb3a6", "#a9b4bf"]


def cpu_name():
    """As "AMD EPYC (family 26, model 2), 2 CPUs": the CPUs are those this process may use."""
    fields = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    name = fields.get("model name", "unknown CPU")
    if "cpu family" in fields:
        name += f" (family {fields['cpu family']}, model {fields['model']})"
    count = len(os.sched_getaffinity(0))
    return f"{name}, {count} CPU{'s' if count > 1 else ''}"


def new(panels, size):
    """A figure in the project's style and its axes, side by side."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    pyplot.rcParams.update({
        "font.family": "DejaVu Sans", "font.size": 10, "text.color": INK,
        "axes.edgecolor": GRID, "axes.labelcolor": INK, "axes.grid": True, "axes.axisbelow": True,
        "axes.spines.top": False, "axes.spines.right": False, "grid.color": GRID,
        "xtick.color": INK, "ytick.color": INK, "legend.frameon": False,
    })
    figure, axes = pyplot.subplots(1, panels, figsize=size, layout="constrained")
    return figure, axes


def save(figure, path):
    figure.savefig(path, dpi=144, facecolor="white", metadata={"Software": None})
    print(f"wrote {path}")
