"""Colours of the page, light and dark: the only place where a colour is written down."""

from dataclasses import dataclass, fields

SCALE_FLOOR = {"logit": 0.1, "nat": 0.02, "fraction": 0.01}  # never finer, so that noise is no circuit
POWER = 0.6  # small effects stay visible: colour strength is |value / largest| to this power


@dataclass(frozen=True)
class Palette:
    """One colour scheme; every field is also the CSS variable of that name."""

    page: str
    panel: str
    ink: str
    muted: str
    line: str
    soft: str
    accent: str
    on_accent: str
    negative: str
    zero: str
    positive: str
    warn: str
    letters: tuple[str, ...]


LIGHT = Palette(
    page="#fbfaf7",
    panel="#ffffff",
    ink="#1b1c20",
    muted="#696b74",
    line="#e4e2dc",
    soft="#f3efe8",
    accent="#b0501d",
    on_accent="#ffffff",
    negative="rgb(190,62,38)",
    zero="rgb(247,246,243)",
    positive="rgb(24,108,150)",
    warn="#8a5a00",
    letters=(
        *("#b4531f", "#186c96", "#5b7f2b", "#7a4d9e", "#96801a"),
        *("#b23a6e", "#23897c", "#6d5a48", "#4a5bb0", "#6d6f78"),
    ),
)
DARK = Palette(
    page="#141519",
    panel="#1b1c21",
    ink="#ecebe7",
    muted="#9a9ca6",
    line="#2d2f36",
    soft="#24252b",
    accent="#f08a54",
    on_accent="#17181c",
    negative="rgb(240,120,84)",
    zero="rgb(30,31,36)",
    positive="rgb(92,178,222)",
    warn="#e0b050",
    letters=(
        *("#f08a54", "#5cb2de", "#a3cf66", "#c79be8", "#e3cf6a"),
        *("#f08bb4", "#6fd3c4", "#c9b39b", "#9aa8f5", "#b5b7c0"),
    ),
)
PALETTES = {"light": LIGHT, "dark": DARK}


def diverging(palette: Palette) -> list[list[float | str]]:
    """The diverging scale as plotly takes it; zero is the middle."""
    return [[0.0, palette.negative], [0.5, palette.zero], [1.0, palette.positive]]


def strength(value: float, largest: float) -> float:
    """Where a value lies on the scale from -1 to 1: its sign times (|value| / largest) to the power 0.6."""
    if largest <= 0:
        return 0.0
    share = min(1.0, abs(value) / largest) ** POWER
    return share if value >= 0 else -share


def blend(palette: Palette, share: float) -> str:
    """The colour at a place on the scale from -1 to 1, for what cannot take a scale."""
    end = palette.negative if share < 0 else palette.positive
    pairs = zip(_parts(palette.zero), _parts(end), strict=True)
    return f"rgb({','.join(str(round(zero + abs(share) * (far - zero))) for zero, far in pairs)})"


def _parts(colour: str) -> list[int]:
    return [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]


def css() -> str:
    """The palettes as CSS variables."""
    return "\n".join(
        f":root[data-scheme={name}] {{ color-scheme: {name}; {_variables(palette)} }}"
        for name, palette in PALETTES.items()
    )


def letter(palette: Palette, place: int) -> str:
    """The colour of the label at a place, the same in every figure."""
    return palette.letters[place % len(palette.letters)]


def variables() -> dict[str, str]:
    """Light colours as the CSS variables that have their dark form too: `#b4531f` is `var(--accent)`."""
    named = {field.name.replace("_", "-"): getattr(LIGHT, field.name) for field in fields(LIGHT)}
    letters = {colour: f"var(--letter-{place})" for place, colour in enumerate(named.pop("letters"))}
    return letters | {colour: f"var(--{name})" for name, colour in named.items() if name != "on-accent"}


def _variables(palette: Palette) -> str:
    named = {field.name.replace("_", "-"): getattr(palette, field.name) for field in fields(palette)}
    letters = {f"letter-{place}": colour for place, colour in enumerate(named.pop("letters"))}
    return " ".join(f"--{name}: {colour};" for name, colour in (named | letters).items())
