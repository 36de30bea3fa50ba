"""Fields of a form, told as data: assets/forms.js draws them and sends what is typed in them."""

import json
from collections.abc import Mapping
from typing import Any

from frontend.figures.attributes import attrs

Json = dict[str, Any]


def fields(*told: Json) -> Json:
    """The attribute of an element in which these fields are drawn."""
    return attrs(data_fields=written(*told))


def written(*told: Json) -> str:
    """The value of that attribute, for callbacks."""
    return json.dumps(told)


def text(name: str, label: str, value: str = "", **more: Any) -> Json:
    """One line; `more` are attributes of the field."""
    return _field("input", label, value, {"class": "field", "name": name, "type": "text", **more})


def lines(name: str, label: str, value: str) -> Json:
    """Some lines, which grow with what is typed."""
    return _field("textarea", label, value, {"class": "field", "name": name, "rows": 2})


def number(name: str, label: str, value: int, bounds: tuple[int, int], usual: int) -> Json:
    """A whole number; an emptied field means the usual one."""
    low, high = bounds
    limits = {"type": "number", "min": low, "max": high, "step": 1, "data-usual": usual}
    return _field("input", label, str(value), {"class": "field", "name": name, **limits})


def choice(name: str, label: str, value: str, options: Mapping[str, str], *, wide: bool = False) -> Json:
    """One of some, with their words."""
    told = _field("select", label, value, {"class": "field", "name": name}, "wide" if wide else "")
    return {**told, "options": list(options.items())}


def tick(name: str, label: str, checked: bool) -> Json:
    """On or off."""
    return _field("input", label, None, {"name": name, "type": "checkbox", **_checked(checked)}, "tick")


def radio(name: str, value: str, label: str, checked: bool) -> Json:
    """One of those with the same name; the label is for those who do not see where it stands."""
    named = {"name": name, "type": "radio", "value": value, "aria-label": label}
    return _field("input", "", None, {**named, **_checked(checked)}, "tick")


def _checked(checked: bool) -> Json:
    return {"checked": ""} if checked else {}


def _field(tag: str, label: str, value: str | None, attributes: Json, kind: str = "") -> Json:
    return {
        "tag": tag,
        "label": label,
        "value": value,
        "class": kind,
        "options": [],
        "attributes": attributes,
    }
