"""All heads of a `categories` result as values: rows with category and measures, filtered and sorted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from frontend.nodes import Node
from frontend.results import Estimate, estimate
from frontend.state import State

Json = Mapping[str, Any]
MEASURES = ("net_attribution", "total_effect", "label_mass", "diagonal_share")


@dataclass(frozen=True)
class Row:
    """One head: its measured category, a person's own where given, and its numbers by column."""

    node: Node
    category: str
    title: str
    own: str = ""
    own_title: str = ""
    kind: str = ""
    values: Mapping[str, Estimate | None] | None = None

    @property
    def shown(self) -> str:
        """The category by which it is counted and found."""
        return self.own or self.category

    def value(self, column: str) -> Estimate | None:
        """A number of the row; None where it was not computed."""
        return (self.values or {}).get(column)


def titles(body: Json) -> dict[str, str]:
    """Categories by name, in words, in their own order."""
    return {one["name"]: one["title"].lower() for one in body["details"].get("categories", [])}


def verdict_of(body: Json, label: str) -> Json | None:
    """The verdict on one head with its evidence; None where there is none yet."""
    return next((one for one in body["details"].get("verdicts", []) if one["head"] == label), None)


def rows_of(body: Json, place: State, qk: Json | None = None) -> list[Row]:
    """A row for every head of a `categories` result, with the QK-scores of another where they were asked."""
    own, named = dict(place.verdicts), titles(body)
    verdicts = {one["head"]: one for one in body["details"].get("verdicts", [])}
    scores = _by_label(qk, "accuracy") if qk else {}
    found = []
    for at, entry in enumerate(body["coordinates"]["head"]):
        label = entry["label"]
        verdict = verdicts.get(label, {})
        values = {name: estimate(body, name, at) for name in MEASURES} | {"qk_score": scores.get(label)}
        if verdict.get("confidence") is not None:
            values["confidence"] = Estimate(verdict["confidence"], unit="fraction")
        name, mine = verdict.get("category", ""), own.get(label, "")
        row = Row(Node.read(label), name, str(named.get(name, name)), mine, str(named.get(mine, mine)))
        found.append(replace(row, kind=verdict.get("kind") or "", values=values))
    return found


def _by_label(body: Json, table: str) -> dict[str, Estimate | None]:
    heads = body["coordinates"]["head"]
    return {entry["label"]: estimate(body, table, at) for at, entry in enumerate(heads)}


def arranged(rows: Sequence[Row], place: State) -> list[Row]:
    """Only what the filters let through, in the chosen order; heads without the value come last."""
    kept = [row for row in rows if place.category in ("all", row.shown) and _matches(row, place.find)]
    if place.by in ("head", "category"):
        by_name = place.by == "category"
        kept.sort(key=lambda row: (row.shown if by_name else "", row.node), reverse=place.order == "highest")
        return kept
    keys = {"strength": lambda x: -abs(x), "lowest": lambda x: x, "highest": lambda x: -x}
    known = [(value.mean, row) for row in kept if (value := row.value(place.by))]
    known.sort(key=lambda entry: keys[place.order](entry[0]))
    return [row for _, row in known] + [row for row in kept if not row.value(place.by)]


def _matches(row: Row, typed: str) -> bool:
    words = " ".join((str(row.node), row.title, row.own_title, row.kind)).lower()
    return all(part in words for part in typed.lower().split())
