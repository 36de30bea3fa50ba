"""How one value of the address is read, and what is allowed for it, in words."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """One value of the address: how to read it, what is allowed in words, how to write what is not plain."""

    read: Callable[[str], Any]
    allowed: str
    write: Callable[[Any], str] | None = None


def choice(*words: str) -> Field:
    """One of some words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return Field(read, "one of " + ", ".join(words))


def whole(low: int, high: int) -> Field:
    """A whole number between two."""

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,12}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return Field(read, f"a whole number from {low} to {high}")


def decimal(low: float, high: float) -> Field:
    """A number between two."""

    def read(text: str) -> float:
        if not re.fullmatch(r"-?\d{1,4}(\.\d{1,20})?", text, re.ASCII) or not low <= float(text) <= high:
            raise ValueError(text)
        return float(text)

    return Field(read, f"a number from {low:g} to {high:g}")


def camera() -> Field:
    """Where the eye of a scene is, and what it looks at: six numbers."""

    def read(text: str) -> str:
        if not re.fullmatch(r"-?\d{1,2}(\.\d{1,3})?(,-?\d{1,2}(\.\d{1,3})?){5}", text, re.ASCII):
            raise ValueError(text)
        return text

    return Field(read, "six numbers: where the eye is and what it looks at")


def id_of(what: str) -> Field:
    """The id of something."""

    def read(text: str) -> str:
        if not re.fullmatch(r"\S(.{0,198}\S)?", text) or not text.isprintable():
            raise ValueError(text)
        return text

    return Field(read, f"the id of {what}, at most 200 characters")


def several(*words: str) -> Field:
    """Some of some words, kept in their own order."""

    def read(text: str) -> tuple[str, ...]:
        chosen = set(text.split(","))
        if not chosen <= set(words):
            raise ValueError(text)
        return tuple(word for word in words if word in chosen)

    return Field(read, "some of " + ", ".join(words) + ", with commas between them")
