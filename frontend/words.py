"""Words and numbers as the page writes them: visible marks, real minus signs, units, names of views."""

import html
import math
import unicodedata

from frontend.results import Estimate

MINUS = "−"
NONE = "–"
MARKS = {"\n": "⏎", "\r": "␍", "\t": "⇥"}

VIEW_TABLE = {
    "attribution": "attribution",
    "total": "total_effect",
    "direct": "direct_effect",
    "indirect": "indirect_effect",
}
VIEW_NAME = {
    "attribution": "Attribution",
    "total": "Total effect",
    "direct": "Direct",
    "indirect": "Indirect",
}


def visible(text: str, *, spaces: bool = False) -> str:
    """Text with visible marks for what cannot be seen: controls, bidi marks and, for tokens, spaces."""
    if text == "":
        return "∅"
    return "".join(_mark(character, spaces) for character in text)


def label(text: str) -> str:
    """Text for a plotly label: visible marks, then escaped, since plotly reads some HTML."""
    return html.escape(visible(text), quote=False)


def token(text: str) -> str:
    """A token as the strip shows it: `·` for a space, `⏎` for a line break."""
    return visible(text, spaces=True)


def signed(value: float | None, digits: int = 2) -> str:
    """`−2.66`, `+2.38`, `0.00`; a dash where nothing was computed."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return (MINUS if value < 0 else "+") + text


def number(value: float | None, digits: int = 2) -> str:
    """Like `signed`, without the plus."""
    return signed(value, digits).removeprefix("+")


def percent(value: float | None) -> str:
    """`97 %` of a fraction."""
    return NONE if value is None else f"{value * 100:.0f} %"


def tiny(value: float | None) -> str:
    """A residual: `8e−6`."""
    if value is None:
        return NONE
    mantissa, exponent = f"{value:.0e}".split("e")
    return "0" if value == 0 else f"{mantissa}e{MINUS if int(exponent) < 0 else ''}{abs(int(exponent))}"


DIGITS = {"logit": 2, "nat": 3, "fraction": 3}


def effect(value: Estimate | None) -> str:
    """A change with its sign and as many digits as its unit deserves."""
    return signed(value.mean, DIGITS.get(value.unit, 2)) if value else NONE


def spread(value: Estimate | None) -> str:
    """The 95 % interval of a change, with the same digits."""
    digits = DIGITS.get(value.unit, 2) if value else 2
    return interval(value, lambda bound: signed(bound, digits))


def interval(value: Estimate | None, write=signed) -> str:
    """`[−2.90, −2.41]`, or nothing where there is no interval."""
    if value is None or value.low is None or value.high is None:
        return ""
    return f"[{write(value.low)}, {write(value.high)}]"


def count(n: int, noun: str, plural: str | None = None) -> str:
    """`1 pair`, `32 pairs`."""
    return f"{n} {noun}" if n == 1 else f"{n} {plural or noun + 's'}"


def duration(seconds: float) -> str:
    """`8 s`, `2 min`, `3 h`."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 100 * 60 else f"{round(seconds / 3600)} h"


def role_name(role: str) -> str:
    """`label_correct` -> `label, correct`."""
    return (
        role.replace("_", ", ", 1).replace("_", " ")
        if role.split("_")[0] in PARTS
        else role.replace("_", " ")
    )


PARTS = {"label", "content", "newline"}


def _mark(character: str, spaces: bool) -> str:
    if character == " ":
        return "·" if spaces else " "
    if character in MARKS:
        return MARKS[character]
    category = unicodedata.category(character)
    if category[0] in "CZ":
        return f"⟨{ord(character):X}⟩"
    return character
