"""Queries and keys as points: in one three-dimensional scene, and flat beside it for a lasso."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from frontend.figures.lines import faint, frame, plain_axis
from frontend.figures.map import FONT
from frontend.theme import Palette, letter
from frontend.words import number, token

Json = Mapping[str, Any]
Figure = dict[str, Any]
HOVER = "%{text}<extra></extra>"
SYMBOLS = ("circle", "square", "diamond", "cross", "x")
OPEN = {"circle": "circle-open", "square": "square-open", "diamond": "diamond-open", "cross": "x", "x": "x"}
SIZE = 0.86  # of the scene, so that both clouds fit
APART = 1.3  # from the middle of the scene to the middle of a cloud, whose points reach 1
EYE = {"both": (0.25, -1.85, 0.75), "queries": (1.1, -1.25, 0.8), "keys": (1.1, -1.25, 0.8)}


@dataclass(frozen=True)
class Point:
    """A query (of a prompt) or a key (of one option of a prompt) in three dimensions."""

    prompt: int  # its row in the draw
    letter: int  # colour: the correct option of a query's prompt, the own option of a key
    place: tuple[float, ...]
    correct: bool  # queries are always; keys only at the correct option
    said: str
    mutated: bool = False


@dataclass(frozen=True)
class Cloud:
    """All queries, or all keys, in their own three axes."""

    name: str
    points: Sequence[Point]

    @property
    def reach(self) -> float:
        """The largest coordinate of what is not mutated: the unit in which the cloud is drawn."""
        known = [abs(x) for point in self.points if not point.mutated for x in point.place]
        return max(known, default=1.0) or 1.0

    @property
    def room(self) -> float:
        """How far the drawing goes, in that unit: the same for every mutation that stays near."""
        farthest = max((abs(x) for point in self.points for x in point.place), default=0.0)
        return max(1.25, 1.05 * farthest / self.reach)


def clouds(body: Json) -> list[Cloud]:
    """Both clouds of a `subspace` result, a mutation's points among them."""
    return [
        Cloud("queries", [*_queries(body, ""), *_queries(body, "_mutated")]),
        Cloud("keys", [*_keys(body, ""), *_keys(body, "_mutated")]),
    ]


def _prompts(body: Json, suffix: str) -> list[Json]:
    return body["coordinates"].get(f"pair{suffix}") or body["coordinates"]["pair"]


def _rows(body: Json, table: str) -> list[Any]:
    found = body["tables"].get(table)
    return (found["mean"] if found else None) or []


def _queries(body: Json, suffix: str) -> list[Point]:
    found = []
    for prompt, (pair, place) in enumerate(
        zip(_prompts(body, suffix), _rows(body, f"query{suffix}"), strict=False)
    ):
        if _known(place):
            said = _words(pair, f"query, correct {token(pair['label'])}", place, suffix)
            letter = _colour(body, pair["label"], pair["correct"])
            found.append(Point(prompt, letter, tuple(place), True, said, bool(suffix)))
    return found


def _keys(body: Json, suffix: str) -> list[Point]:
    found = []
    for prompt, (pair, places) in enumerate(
        zip(_prompts(body, suffix), _rows(body, f"keys{suffix}"), strict=False)
    ):
        for option, place in enumerate(places or []):
            if _known(place) and option < len(pair["labels"]):
                own, right = pair["labels"][option], option == pair["correct"]
                name = f"key of {token(own)}, {'correct' if right else 'not correct'}"
                said = _words(pair, name, place, suffix)
                found.append(
                    Point(prompt, _colour(body, own, option), tuple(place), right, said, bool(suffix))
                )
    return found


def _colour(body: Json, own: str, option: int) -> int:
    """A label keeps its colour on whatever line it stands; labels of other prompts' own go by their line."""
    answers = [str(name).strip() for name in body["coordinates"]["answer"]]
    return answers.index(own.strip()) if own.strip() in answers else option


def _known(place: Any) -> bool:
    return bool(place) and all(x is not None for x in place)


def _words(pair: Json, name: str, place: Sequence[float], suffix: str) -> str:
    mutated = ", mutated" if suffix else ""
    at = "  ".join(number(x) for x in place)
    return f"<b>Question {pair['index'] + 1}</b>, {escape(name)}{mutated}<br>{at}"


def scene(found: Sequence[Cloud], shown: str, camera: str, palette: Palette) -> Figure:
    """One live scene: each cloud about its own cross of axes, scaled to the same size."""
    visible = [cloud for cloud in found if shown in ("both", cloud.name)]
    traces: list[Figure] = []
    for cloud in visible:
        shift = 0.0 if shown != "both" else -APART if cloud.name == "queries" else APART
        traces += [*_cross(cloud, shift, palette), *_solid(cloud, shift, palette)]
    return {
        "data": traces,
        "layout": {
            **frame(palette),
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "scene": _scene(visible, camera, shown),
            "uirevision": "scene",
        },
    }


def camera_of(shown: str, camera: str) -> Figure:
    """The camera that the address names, or the first one."""
    numbers = [float(part) for part in camera.split(",")] if camera else [*EYE[shown], 0.0, 0.0, 0.0]
    eye, centre = (dict(zip("xyz", numbers[at : at + 3], strict=True)) for at in (0, 3))
    return {"eye": eye, "center": centre, "up": {"x": 0, "y": 0, "z": 1}}


def _scene(visible: Sequence[Cloud], camera: str, shown: str) -> Figure:
    room = max((cloud.room for cloud in visible), default=1.25)
    wide = room + (APART if len(visible) > 1 else 0.0)
    axis = {"visible": False, "showspikes": False}
    return {
        "camera": camera_of(shown, camera),
        "dragmode": "turntable",
        "aspectmode": "manual",
        "aspectratio": {"x": SIZE * wide, "y": SIZE * room, "z": SIZE * (room + 0.2)},
        "xaxis": {**axis, "range": [-wide, wide]},
        "yaxis": {**axis, "range": [-room, room]},
        "zaxis": {**axis, "range": [-room, room + 0.4]},
        "uirevision": "scene",
    }


def _cross(cloud: Cloud, shift: float, palette: Palette) -> list[Figure]:
    """Three thin axes through the origin, numbered at their ends, and the name of the cloud."""
    ends = [(1.12, 0, 0), (0, 1.12, 0), (0, 0, 1.12)]
    lines: list[tuple[Any, Any, Any]] = []
    for end in ends:
        lines += [tuple(-x for x in end), end, (None, None, None)]
    quiet = {"type": "scatter3d", "hoverinfo": "skip", "showlegend": False}
    moved = [(None if x is None else x + shift, y, z) for x, y, z in lines]
    names = [(end[0] + shift, end[1], end[2]) for end in ends]
    title = "Queries" if cloud.name == "queries" else "Keys"
    return [
        {**quiet, "mode": "lines", **_xyz(moved), "line": {"color": faint(palette.muted, 0.55), "width": 2}},
        {
            **quiet,
            "mode": "text",
            **_xyz([*names, (shift, 0, 1.5)]),
            "text": ["1", "2", "3", title],
            "textfont": {
                "color": [palette.muted] * 3 + [palette.ink],
                "size": [12, 12, 12, 14],
                "family": FONT,
            },
        },
    ]


def _solid(cloud: Cloud, shift: float, palette: Palette) -> list[Figure]:
    traces = []
    for (place, right, mutated), points in _groups(cloud).items():
        at = [
            (p.place[0] / cloud.reach + shift, p.place[1] / cloud.reach, p.place[2] / cloud.reach)
            for p in points
        ]
        marker = _marker(place, right, mutated, palette)
        traces.append({"type": "scatter3d", "mode": "markers", **_xyz(at), **marker, **_told(points)})
    return traces


def flat(cloud: Cloud, dims: str, palette: Palette) -> Figure:
    """Two of the three dimensions, with a lasso; the axes hold the true coordinates."""
    first, second = (int(digit) - 1 for digit in dims)
    traces = []
    for (place, right, mutated), points in _groups(cloud).items():
        xy = {"x": [p.place[first] for p in points], "y": [p.place[second] for p in points]}
        marker = _marker(place, right, mutated, palette)
        marker["marker"]["size"] += 2
        traces.append({"type": "scatter", "mode": "markers", **xy, **marker, **_told(points)})
    edge = 0.9 * cloud.room * cloud.reach
    quiet = {"range": [-edge, edge], "zeroline": True, "zerolinecolor": palette.line, "nticks": 5}
    return {
        "data": traces,
        "layout": {
            **frame(palette),
            "xaxis": plain_axis(palette, f"dimension {dims[0]}", **quiet),
            "yaxis": plain_axis(palette, f"dimension {dims[1]}", scaleanchor="x", **quiet),
            "dragmode": "lasso",
            "newselection": {"line": {"color": palette.accent, "width": 1.5, "dash": "solid"}},
            "uirevision": dims,
            "selectionrevision": dims,
        },
    }


def _groups(cloud: Cloud) -> dict[tuple[int, bool, bool], list[Point]]:
    """Points that look alike; the correct ones come last and lie on top."""
    groups: dict[tuple[int, bool, bool], list[Point]] = {}
    for point in sorted(cloud.points, key=lambda point: (point.mutated, point.correct, point.letter)):
        groups.setdefault((point.letter, point.correct, point.mutated), []).append(point)
    return groups


def _marker(place: int, right: bool, mutated: bool, palette: Palette) -> Figure:
    """Colour and shape by letter; large where correct; hollow where mutated."""
    symbol = SYMBOLS[place % len(SYMBOLS)]
    look = {
        "symbol": OPEN[symbol] if mutated else symbol,
        "size": (5 if right else 3) + (2 if mutated else 0),
        "color": letter(palette, place),
        "line": {"width": 0 if not mutated else 2, "color": letter(palette, place)},
    }
    return {"marker": look, "opacity": 0.9 if right else 0.4}


def _told(points: Sequence[Point]) -> Figure:
    return {
        "text": [point.said for point in points],
        "customdata": [point.prompt for point in points],
        "hovertemplate": HOVER,
        "showlegend": False,
    }


def _xyz(places: Sequence[tuple[Any, Any, Any]]) -> Figure:
    return {axis: [place[at] for place in places] for at, axis in enumerate("xyz")}
