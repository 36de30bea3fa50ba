"""What a reader marks in the address: up to four pins, receivers of paths, a note on a node."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from frontend.fields import Field
from frontend.nodes import Node

PINS, RECEIVERS = 4, 8
NOTE, NOTES = 500, 2000  # characters of one note, and of all together
BETWEEN = "\x1e"  # notes in the address; no note can hold it

Notes = tuple[tuple[str, str], ...]


def owner(text: str) -> Node:
    """The head or MLP of a node; `ValueError` for what belongs to a whole layer."""
    found = Node.read(text).owner
    if found is None:
        raise ValueError(text)
    return found


def in_order(node: Node) -> tuple[int, bool, int]:
    """For sorting in the order of the computation."""
    return node.layer, node.head is None, node.head or 0


def reaches(sender: Node, receiver: Node) -> bool:
    """Whether a receiver comes after a sender: in a later layer, or as the MLP of a head's own layer."""
    beside = receiver.layer == sender.layer and receiver.head is None and sender.head is not None
    return receiver.layer > sender.layer or beside


def _labels(most: int) -> Field:
    """Some nodes, each once, in the order in which they were chosen."""

    def read(text: str) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(str(owner(part)) for part in text.split(",")))
        if len(found) > most:
            raise ValueError(text)
        return found

    return Field(read, f"at most {most} heads or MLPs, such as L23H2,MLP24")


def clean(text: str) -> str:
    """A note as it is kept: without marks that cannot be seen, but for line ends; none around it."""
    lines = text.replace("\r\n", "\n").replace("\t", " ")
    return "".join(mark for mark in lines if mark == "\n" or (mark >= " " and mark != "\x7f")).strip()


def read_notes(text: str) -> Notes:
    """Notes by node, in the order of the computation; `ValueError` where there is too much."""
    entries = (part.partition(":") for part in text.split(BETWEEN))
    found = {owner(label): clean(said) for label, _, said in entries}
    if "" in found.values() or max(map(len, found.values())) > NOTE or sum(map(len, found.values())) > NOTES:
        raise ValueError(text)
    return tuple((str(node), found[node]) for node in sorted(found, key=in_order))


def write_notes(notes: Iterable[tuple[str, str]]) -> str:
    """The text that `read_notes` reads."""
    return BETWEEN.join(f"{label}:{said}" for label, said in notes)


FIELDS: Mapping[str, Field] = {
    "pins": _labels(PINS),
    "receivers": _labels(RECEIVERS),
    "notes": Field(
        read_notes,
        f"a text for each node, at most {NOTE} characters each and {NOTES} in all",
        write_notes,
    ),
}
TOGGLED = {"pin": "pins", "receiver": "receivers"}  # a control puts one node in, or takes it out
ENTRIES = (*TOGGLED, "note")


def marked(change: Mapping[str, str], before: Callable[[str], Any]) -> dict[str, str]:
    """Texts of the fields in which a control changes one entry; empty where nothing is left."""
    new = {}
    for name, field in TOGGLED.items():
        if name in change:
            now, one = list(before(field)), change[name]
            new[field] = ",".join([label for label in now if label != one] + [one] * (one not in now))
    if "note" in change:
        label, _, said = change["note"].partition(":")
        notes = {**dict(before("notes")), label: clean(said)}
        new["notes"] = write_notes((one, text) for one, text in notes.items() if text)
    return new
