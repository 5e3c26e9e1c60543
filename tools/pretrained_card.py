"""The card of a network that tools/pretrain.py trained: Markdown, every figure out of the logs."""

import dataclasses
import json
import pathlib
import statistics
import textwrap

FASHION_MNIST = """\
Data: Fashion-MNIST by Zalando SE (Xiao, Rasul, Vollgraf, 2017,
<https://github.com/zalandoresearch/fashion-mnist>), MIT license; here Debian's package
`dataset-fashion-mnist`."""
FASHION_MNIST_USE = """\
A small network to try the programs with, to test against, and to compare trainings by. It knows ten
kinds of clothes, light on black, centered, gray, 28 x 28 pixels; of any other picture it names one
of them too, and its probability says nothing then. It is no basis for decisions about people."""
OTHER_USE = """\
To try the programs with. It knows the classes above as the training pictures show them; of any
other picture it names one of them too."""


@dataclasses.dataclass
class Run:
    """What the log of one seed says."""

    seed: int
    start: dict
    epochs: list
    machines: list  # of all processes that worked on it
    end: dict

    @property
    def images_per_second(self):
        return statistics.median(epoch["images_per_second"] for epoch in self.epochs)


def read_run(seed, log):
    """The Run of a finished log; None when the training is not over, or the log of another kind."""
    try:
        records = [json.loads(line) for line in pathlib.Path(log).read_text().splitlines()]
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if not records or records[0]["kind"] != "start" or records[-1]["kind"] != "end":
        return None
    machines = [record["machine"] for record in records if "machine" in record]
    epochs = [record for record in records if record["kind"] == "epoch"]
    return Run(seed, records[0], epochs, machines, records[-1])


def percent(share):
    return f"{100 * share:.2f} %"


def duration(seconds):
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def cell(text):
    return str(text).replace("|", "\\|")


def table(head, rows):
    """Markdown; the first column to the left, the others to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join("| " + " | ".join(map(cell, line)) + " |\n" for line in lines)


def seeds_table(runs):
    rows = [
        [
            run.seed,
            percent(run.end["validation_top1"]),
            f"{run.end['validation_loss']:.4f}",
            duration(run.end["seconds"]),
            f"{run.images_per_second:.0f}",
        ]
        for run in runs
    ]
    return table(["seed", "top-1", "cross-entropy", "training", "images/s"], rows)


def spread(runs):
    shares = [run.end["validation_top1"] for run in runs]
    if len(shares) == 1:
        return f"Top-1 {percent(shares[0])}, of one seed: its spread is unknown."
    points = 100 * statistics.stdev(shares)
    return (
        f"Top-1 {percent(statistics.mean(shares))} in the mean of {len(shares)} seeds, standard "
        f"deviation {points:.2f} points, from {percent(min(shares))} to {percent(max(shares))}."
    )


def machine(runs):
    names = []
    for run in runs:
        for one in run.machines:
            count = one["threads"]
            name = f"{count} thread{'s' * (count != 1)} ({one['isa']}) of {one['cpu']}"
            if name not in names:
                names.append(name)
    return " and ".join(names)


def confusion_table(end):
    names = end["classes"]
    rows = [
        [name, *counts, "none" if recall is None else percent(recall)]
        for name, counts, recall in zip(names, end["confusion"], end["recall"])
    ]
    return table(["", *names, "recall"], rows)


def figures(runs):
    start, end = runs[0].start, runs[0].end
    recipe = start["recipe"]
    side, epochs = recipe["resolution"], recipe["epochs"]
    passes = f"{epochs} epoch{'s' * (epochs != 1)}"
    return table(
        ["", ""],
        [
            ["network", f"MobileNetV2, width {recipe['width']:g}, stride {recipe['stride']}"],
            ["input", f"{side} x {side}"],
            ["parameters", f"{start['parameters']:,}"],
            ["multiply-adds", f"{start['multiply_adds']:,}"],
            ["trained on", f"{start['pictures']:,} pictures, {passes}"],
            ["evaluated on", f"{end['validation_pictures']:,} pictures ({end['validated_on']})"],
        ],
    )


def card(name, runs, recipe_text, commands, data, shipped):
    """The whole card. `shipped`: whether the first run's weights lie beside it."""
    is_fashion = data == "fashion-mnist"
    about = json.loads(recipe_text).get("about", "")
    weights = f"`{name}.safetensors` holds the weights of seed {runs[0].seed}." if shipped else ""
    parts = [
        f"# {name}",
        about,
        figures(runs).rstrip(),
        "## Accuracy",
        f"{spread(runs)}",
        seeds_table(runs).rstrip(),
        textwrap.fill(
            "Every figure is of the last epoch's weights, their average where the recipe has one. "
            "The evaluation served for this report alone: no epoch and no seed was chosen by it. "
            + weights, 100
        ),
        textwrap.fill(
            "Training is the time of all steps and evaluations, images/s the median epoch's, with "
            f"{machine(runs)}, which other programs may have used meanwhile.", 100
        ),
    ]
    if shipped:
        parts += [
            f"![Loss and accuracy of seed {runs[0].seed}]({name}.png)",
            f"## Confusion matrix of seed {runs[0].seed}",
            "Rows are the truth, columns predictions; recall is the share of a row that is right.",
            confusion_table(runs[0].end).rstrip(),
        ]
    parts += ["## Recipe", f"```json\n{recipe_text.rstrip()}\n```"]
    parts += ["```\n" + "\n".join(commands) + "\n```"]
    parts += ["Logs: " + ", ".join(f"[seed {r.seed}]({name}.seed{r.seed}.jsonl)" for r in runs) + "."]
    if shipped:
        parts += ["## Use and limits", FASHION_MNIST_USE if is_fashion else OTHER_USE]
    parts += [FASHION_MNIST if is_fashion else f"Data: {runs[0].start['data']}."]
    return "\n\n".join(part for part in parts if part) + "\n"
