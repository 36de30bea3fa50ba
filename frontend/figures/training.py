"""Curves over training, run beside run with the same heights, and the table with the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2
from typing import Any

from dash import html

from frontend.figures.lines import Line, line_figure, line_panel, plain_axis
from frontend.figures.runs import Checkpoint, Reader, Run, names_in, steps_of
from frontend.figures.twin import as_table
from frontend.results import Estimate
from frontend.theme import Palette, letter
from frontend.words import number, percent

Figure = dict[str, Any]
LOUD = ("none", "shuffled", "random_letters", "numbers")  # mutations in colour; the others are grey
KINDS = ("correct_letter", "single_letter", "uniform", "amplification")
SCORES = {"position_score": "position", "letter_score": "letter"}


@dataclass(frozen=True)
class Frame:
    """What the figures of one run share: its steps, the one that is shown, the colours."""

    steps: Sequence[int]
    step: int
    palette: Palette

    def place(self, step: int) -> float:
        """Where a step stands: after the first, in units of the way to the second, for a logarithm."""
        first, second = (*self.steps[:2], self.steps[0] + 1)[:2]
        return (step - first) / (second - first)

    @property
    def ticks(self) -> list[int]:
        """As many steps as can be named without touching."""
        room, shown = 0.11 * self.at(self.steps[-1]), list(self.steps[:1])
        for step in self.steps[1:]:
            if self.at(step) - self.at(shown[-1]) >= room:
                shown.append(step)
        return shown

    def at(self, step: int) -> float:
        """Its place on the axis of `line_figure`."""
        return log2(1 + self.place(step))


@dataclass(frozen=True)
class Question:
    """One question about training: its words and its lines, run by run."""

    title: str
    unit: str
    said: str
    lines: Sequence[Sequence[Line]]

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest value that every run's figure has room for."""
        values = [value.mean for drawn in self.lines for line in drawn for value in line.y if value]
        low, high = min([0.0, *values]), max([1.0, *values])
        room = 0.04 * (high - low)
        return low - room, high + room


def curves(runs: Sequence[Run], step: int, palette: Palette) -> list[Any]:
    """The questions, one below the other; the runs stand side by side."""
    frames = [Frame(steps_of([run]), run.at(step).step, palette) for run in runs]
    return [_row(runs, question, frames) for question in questions(runs, palette)]


def questions(runs: Sequence[Run], palette: Palette) -> list[Question]:
    """Accuracy, categories, position or letter, and how much few dimensions keep."""
    mutations = names_in(runs, "mutation")
    categories = [name for name in names_in(runs, "category") if name != "other"]
    return [
        Question(
            "Accuracy",
            "fraction",
            f"By mutation of the prompt. {_quiet(mutations, LOUD)}",
            [_lines(run, "accuracy", mutations, LOUD, palette) for run in runs],
        ),
        Question(
            "Heads of each category",
            "heads",
            f"How many of the model’s heads; those of no category are left out. {_quiet(categories, KINDS)}",
            [_lines(run, "categories", categories, KINDS, palette) for run in runs],
        ),
        Question(
            "Position or letter?",
            "fraction",
            "Whether the heads follow the n-th line or the letter itself, on shuffled labels.",
            [_scores(run, palette) for run in runs],
        ),
        Question(
            "Rank-3 recovery",
            "fraction",
            "Share of the centred logit that three dimensions of the best heads’ queries and keys keep.",
            [[run.line("rank 3", palette.accent, _reader("recovery"), band=True)] for run in runs],
        ),
    ]


def _quiet(names: Sequence[str], loud: Sequence[str]) -> str:
    quiet = ", ".join(name.replace("_", " ") for name in names if name not in loud)
    return f"Grey: {quiet}." if quiet else ""


def _reader(table: str, *names: str) -> Reader:
    return lambda checkpoint: checkpoint.value(table, *names)


def _scores(run: Run, palette: Palette) -> list[Line]:
    return [
        run.line(word, letter(palette, at), _reader(table), band=True)
        for at, (table, word) in enumerate(SCORES.items())
    ]


def _lines(run: Run, table: str, names: Sequence[str], loud: Sequence[str], palette: Palette) -> list[Line]:
    """Quiet lines first, so that the loud ones lie on top."""
    ordered = [name for name in names if name not in loud] + [name for name in loud if name in names]
    looks = {name: {"colour": letter(palette, at), "width": 2} for at, name in enumerate(loud)}
    quiet = {"colour": palette.muted, "width": 1}
    return [
        run.line(name.replace("_", " "), read=_reader(table, name), **looks.get(name, quiet))
        for name in ordered
    ]


def _row(runs: Sequence[Run], question: Question, frames: Sequence[Frame]) -> html.Section:
    panels = [
        line_panel(run.title, "", training_figure(lines, question, frame))
        for run, lines, frame in zip(runs, question.lines, frames, strict=True)
    ]
    loud = {line.name: line.colour for lines in question.lines for line in lines if line.width > 1}
    key = [html.Span([html.I(style={"background": colour}), name]) for name, colour in loud.items()]
    words = [
        html.H3(question.title),
        html.P(question.said, className="note"),
        html.Div(key, className="line-key"),
    ]
    return html.Section([html.Div(words), html.Div(panels, className="runs")], className="training-row")


def training_figure(lines: Sequence[Line], question: Question, frame: Frame) -> Figure:
    """Lines over the steps of a run, a logarithmic axis with a place for the first; the chosen is marked."""
    shown = frame.ticks
    places = {"tickvals": [frame.at(step) for step in shown], "ticktext": [f"{step:,}" for step in shown]}
    ends = [frame.at(frame.steps[0]) - 0.2, frame.at(frame.steps[-1]) + 0.2]
    x_axis = plain_axis(frame.palette, "training step", range=ends, tickangle=0, **places)
    placed = [replace(line, x=[frame.place(int(step)) for step in line.x]) for line in lines]
    figure = line_figure(placed, "training step", question.unit, frame.palette)
    figure["layout"] |= {"xaxis": x_axis, "shapes": [_mark(frame)]}
    figure["layout"]["yaxis"]["range"] = question.ends
    for trace, line in zip((one for one in figure["data"] if "name" in one), lines, strict=True):
        said = [_said(line, int(at), value, question.unit) for at, value in zip(line.x, line.y, strict=True)]
        trace |= {"mode": "lines+markers", "marker": {"size": 2.5 * line.width}, "text": said}
    return figure


def _mark(frame: Frame) -> Figure:
    """A line at the chosen step."""
    at = frame.at(frame.step)
    look = {"color": frame.palette.ink, "width": 1, "dash": "dot"}
    return {
        "type": "line",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "layer": "below",
        "line": look,
    }


def _said(line: Line, step: int, value: Estimate | None, unit: str) -> str:
    if value is None:
        return ""
    shown = f"{value.mean:.0f} heads" if unit == "heads" else number(value.mean)
    bounds = f" [{number(value.low)}, {number(value.high)}]" if value.low is not None else ""
    return f"<b>{line.name}</b>, step {step:,}: {shown}{bounds}"


def twin(runs: Sequence[Run]) -> html.Details:
    """The same numbers as a table: a row for every checkpoint."""
    mutations = names_in(runs, "mutation")
    heads = [name.replace("_", " ") for name in mutations]
    titles = ["run", "step", *heads, "position", "letter", "rank 3"]
    rows = [_twin_row(run, one, mutations) for run in runs for one in run.checkpoints if one.body]
    head = html.Tr([html.Th(text, className="number" if at > 1 else "") for at, text in enumerate(titles)])
    return as_table(head, rows)


def _twin_row(run: Run, one: Checkpoint, mutations: Sequence[str]) -> html.Tr:
    shares = [one.value("accuracy", name) for name in mutations]
    scores = [one.value(table) for table in (*SCORES, "recovery")]
    cells = [html.Td(percent(value.mean if value else None), className="number") for value in shares]
    cells += [html.Td(number(value.mean if value else None), className="number") for value in scores]
    return html.Tr([html.Th(run.title, scope="row"), html.Td(f"{one.step:,}"), *cells])
