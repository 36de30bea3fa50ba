"""The page of a printed figure: panels in rows, measured in pixels, with the type that print needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from frontend.figures.map import FONT
from frontend.theme import Palette

Figure = dict[str, Any]
WIDTH = 720  # at 100 dots an inch the two columns of a paper, 12 px are then 8.6 points
TEXT, SMALL = 13, 12
NARROWEST = 240
TOP, TITLE, EDGE = 10, 24, 14  # above a row of panels, for its titles, right of a panel
LETTER_WIDE, LEGEND_ROW, LEGEND_MARK = 0.56, 20, 52  # share of the font size; pixels
BAR_WIDE = 78  # right of a panel with a colour bar
SCREEN_ONLY = ("hovertemplate", "hoverinfo", "customdata", "hoverongaps")


@dataclass(frozen=True)
class Panel:
    """One pair of axes with its traces. `height` is that of the frame; the margins hold names and titles."""

    data: Sequence[Figure]
    x: Figure
    y: Figure
    title: str = ""
    height: int = 190
    left: int = 58
    bottom: int = 46
    right: int = EDGE
    share: float = 1.0  # of the width of its row
    width: int | None = None  # of all of it, where it is narrower than the page
    shapes: Sequence[Figure] = ()
    scene: Figure | None = None  # takes the place of the axes


@dataclass(frozen=True)
class Box:
    """Where the frame of a panel lies, in pixels from the upper left corner of the page."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Size:
    """Of the page, in pixels."""

    width: int
    height: int

    def x(self, pixels: float) -> float:
        """As plotly counts: a share of the page, from the left."""
        return pixels / self.width

    def y(self, pixels: float) -> float:
        """A share of the page, from the bottom; pixels count from the top."""
        return 1 - pixels / self.height

    def domain(self, box: Box) -> tuple[list[float], list[float]]:
        """The frame across and up."""
        return [self.x(box.left), self.x(box.right)], [self.y(box.bottom), self.y(box.top)]


def panel_of(figure: Figure, title: str = "", **more: Any) -> Panel:
    """A panel with the traces and axes of a figure of the dashboard."""
    layout = figure["layout"]
    axes = {"x": layout.get("xaxis", {}), "y": layout.get("yaxis", {})}
    kept = {"shapes": layout.get("shapes", ()), "scene": layout.get("scene")}
    return Panel(figure["data"], title=title, **(axes | kept | more))


def page(rows: Sequence[Sequence[Panel]], palette: Palette) -> Figure:
    """Rows of panels as one figure; panels get letters where there are several."""
    width = _width(rows)
    top = float(TOP + _legend_height(_named(rows), width))
    placed: list[tuple[Panel, Box]] = []
    for row in rows:
        placed += zip(row, _boxes(row, top, width), strict=True)
        top = max(box.bottom + panel.bottom for panel, box in placed)
    size = Size(width, round(top) + 2)
    layout, data = _layout(palette, size), list[Figure]()
    seen = set[str]()
    for at, (panel, box) in enumerate(placed):
        data += _traces(panel, at, _beside(box, size), seen)
        layout |= _axes(panel, at, size.domain(box), palette)
        layout["annotations"] += _title(panel, at if len(placed) > 1 else None, box, size)
        layout["shapes"] += [_shape(shape, at) for shape in panel.shapes]
    return {"data": data, "layout": layout}


def _width(rows: Sequence[Sequence[Panel]]) -> int:
    """Of the page: as wide as print allows, unless all panels say that they are narrower."""
    widths = [panel.width for row in rows for panel in row]
    return max(NARROWEST, sum(filter(None, widths))) if len(rows) == 1 and all(widths) else WIDTH


def _layout(palette: Palette, size: Size) -> Figure:
    return {
        "width": size.width,
        "height": size.height,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "paper_bgcolor": palette.panel,
        "plot_bgcolor": palette.panel,
        "font": {"family": FONT, "size": TEXT, "color": palette.ink},
        "legend": {
            "orientation": "h",
            "x": 0.01,
            "y": 1,
            "xanchor": "left",
            "yanchor": "top",
            "bgcolor": "rgba(0,0,0,0)",
            "font": {"size": SMALL},
        },
        "barmode": "overlay",
        "annotations": [],
        "shapes": [],
    }


def _named(rows: Sequence[Sequence[Panel]]) -> list[str]:
    """The names that the legend lists."""
    traces = [trace for row in rows for panel in row for trace in panel.data]
    return list(dict.fromkeys(trace["name"] for trace in traces if _listed(trace)))


def _listed(trace: Mapping[str, Any]) -> bool:
    return bool(trace.get("name")) and trace.get("showlegend") is not False


def _legend_height(names: Sequence[str], width: int) -> int:
    """Room for the names in rows."""
    if not names:
        return 0
    widths = [LEGEND_MARK + text_width(name, SMALL) for name in names]
    in_a_row = len(names) if sum(widths) < width else max(1, int(width // max(widths)))
    return LEGEND_ROW * -(-len(names) // in_a_row) + 8


def text_width(text: str, size: float = TEXT) -> float:
    """About how wide a text is, in pixels."""
    return LETTER_WIDE * size * len(text)


def _boxes(row: Sequence[Panel], top: float, width: int) -> list[Box]:
    """Frames side by side; those of a row begin at the same height."""
    title = TITLE if any(panel.title for panel in row) else 0
    whole, left, found = sum(panel.share for panel in row), 0.0, []
    for panel in row:
        right = left + width * panel.share / whole
        frame = Box(left + panel.left, top + title, right - panel.right, top + title + panel.height)
        found.append(frame)
        left = right
    return found


def _traces(panel: Panel, at: int, beside: Figure, seen: set[str]) -> list[Figure]:
    """The traces on their axes, without what only a screen shows; a name is listed once."""
    found = []
    for trace in panel.data:
        new = {name: value for name, value in trace.items() if name not in SCREEN_ONLY}
        new |= {"marker": {**new["marker"]}} if "marker" in new else {}
        if "text" not in new.get("mode", "") and "texttemplate" not in new:
            new.pop("text", None)
        where = (
            {"scene": _nth("scene", at)} if panel.scene else {"xaxis": _nth("x", at), "yaxis": _nth("y", at)}
        )
        listed = _listed(new) and new["name"] not in seen
        new |= where | {"showlegend": listed, "hoverinfo": "skip"}
        if listed:
            seen.add(new["name"])
            new["legendgroup"] = new["name"]
        for owner in (new, new.get("marker", {})):
            if "colorbar" in owner:
                owner |= {"colorbar": owner["colorbar"] | beside}
        found.append(new)
    return found


def _beside(box: Box, size: Size) -> Figure:
    """Where the colour bar of a panel stands: at its right, as high as its frame."""
    _, (low, high) = size.domain(box)
    return {"x": size.x(box.right + 8), "y": (low + high) / 2, "len": high - low, "lenmode": "fraction"}


def _axes(panel: Panel, at: int, domain: tuple[list[float], list[float]], palette: Palette) -> Figure:
    across, up = domain
    if panel.scene:
        return {_nth("scene", at): panel.scene | {"domain": {"x": across, "y": up}}}
    x = _axis(panel.x, palette) | {"domain": across, "anchor": _nth("y", at)}
    y = _axis(panel.y, palette) | {"domain": up, "anchor": _nth("x", at)}
    return {_nth("xaxis", at): x, _nth("yaxis", at): y}


def _axis(axis: Figure, palette: Palette) -> Figure:
    """Ink on paper: a line, ticks outside, names that are read without a lens."""
    title = axis.get("title") or {}
    said = title.get("text", "") if isinstance(title, Mapping) else str(title)
    plain = {"showline": True, "linecolor": palette.ink, "linewidth": 1, "ticks": "outside", "ticklen": 4}
    quiet = {
        "exponentformat": "none",
        "zeroline": False,
        "gridcolor": palette.line,
        "tickfont": {"size": SMALL},
        "color": palette.ink,
    }
    shown = {name: value for name, value in axis.items() if name not in ("color", "fixedrange")}
    if axis.get("ticks") == "":
        plain |= {"ticks": "", "showline": False}
        shown.pop("ticks", None)
    return {
        "showgrid": False,
        **plain,
        **quiet,
        **shown,
        "title": {"text": said, "standoff": 6, "font": {"size": TEXT}},
    }


def _title(panel: Panel, letter: int | None, box: Box, size: Size) -> list[Figure]:
    if not panel.title:
        return []
    mark = "" if letter is None else f"<b>{'abcdefghijklmnopqrstuvwxyz'[letter % 26]}</b>  "
    return [
        {
            "text": mark + panel.title,
            "x": size.x(box.left - panel.left + 12),
            "y": size.y(box.top - TITLE + 2),
            "xref": "paper",
            "yref": "paper",
            "xanchor": "left",
            "yanchor": "top",
            "showarrow": False,
            "align": "left",
        }
    ]


def _shape(shape: Figure, at: int) -> Figure:
    """A shape on the axes of its panel; one that spans the frame keeps doing so."""
    across = {} if shape.get("xref") == "paper" else {"xref": _nth("x", at)}
    up = {"yref": f"{_nth('y', at)} domain"} if shape.get("yref") == "paper" else {"yref": _nth("y", at)}
    return shape | across | up


def _nth(name: str, at: int) -> str:
    return name if at == 0 else f"{name}{at + 1}"
