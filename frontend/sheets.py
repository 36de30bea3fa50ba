"""The numbers of a result as CSV: one row a value, with its place on every axis, interval and unit."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

Json = Mapping[str, Any]
Row = dict[str, Any]
VALUE = ("mean", "low", "high", "unit", "reason")
SAID_ONCE = {"meaning", "title", "isolates", "example", "question", "better", "kind", "unit"}  # no columns
FORMULA = re.compile(r"[=+\-@\t\r]")
PLAIN_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
VERDICT = ("head", "category", "confidence", "kind")
PAIR = ("index", "prompt", "text", "answer", "correct")
UNKNOWN = "not computed"


def sheets(body: Json) -> dict[str, str]:
    """A CSV for every table of a result, and for its prompts and verdicts where it has them."""
    tables = {name: csv_text(list(rows_of(body, name))) for name in body["tables"]}
    return tables | _more(body)


def sheet(body: Json) -> str:
    """All tables of a result in one CSV, which says in every row from which table a value is."""
    rows = [{"table": name, **row} for name in body["tables"] for row in rows_of(body, name)]
    if "key" in body["details"]:
        rows += [{"table": "attention", **row} for row in _attention(body)]
    if not rows:
        return next(iter(_more(body).values()), csv_text([]))
    return csv_text(rows)


def rows_of(body: Json, name: str) -> Iterator[Row]:
    """The values of one table; one that is missing has an empty cell and the reason beside it."""
    table, coordinates = body["tables"][name], body["coordinates"]
    axes = [list(coordinates.get(axis, [])) for axis in table["axes"]]
    reasons = {one["where"]: one["reason"] for one in body["failures"] if one["table"] == name}
    for places in product(*(range(len(axis)) for axis in axes)):
        entries = [axis[at] for axis, at in zip(axes, places, strict=True)]
        mean, low, high = (_at(table.get(part), places) for part in ("mean", "low", "high"))
        row: Row = {}
        for axis, entry in zip(table["axes"], entries, strict=True):
            row |= _place(axis, entry)
        where = " ".join(_name(entry) for entry in entries)
        reason = "" if mean is not None else reasons.get(where, UNKNOWN)
        values = (mean, low, high, _unit(table["unit"], entries), reason)
        yield row | dict(zip(VALUE, values, strict=True))


def csv_text(rows: Sequence[Row]) -> str:
    """RFC 4180, with the columns of all rows in the order of their first use; values come last."""
    named = list(dict.fromkeys(name for row in rows for name in row))
    columns = [name for name in named if name not in VALUE] + [name for name in VALUE if name in named]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([[_cell(row.get(name)) for name in columns] for row in rows])
    return out.getvalue()


def _cell(value: Any) -> str:
    """A value as text. What a spreadsheet would run as a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return repr(value)
    text = str(value)
    harmless = not FORMULA.match(text.lstrip(" ")) or PLAIN_NUMBER.fullmatch(text)
    return text if harmless else f"'{text}"


def _place(axis: str, entry: Any) -> Row:
    """The columns of one place on an axis: `node`, `node.layer`, `node.head`."""
    if not isinstance(entry, Mapping):
        return {axis: entry}
    known = {name: value for name, value in entry.items() if name not in SAID_ONCE}
    named = {axis: known.pop("label")} if "label" in known else {}
    return named | {f"{axis}.{name}": _flat(value) for name, value in known.items()}


def _flat(value: Any) -> Any:
    return "; ".join(str(part) for part in value) if isinstance(value, list | tuple) else value


def _name(entry: Any) -> str:
    """As the reasons for missing values name a place."""
    return str(entry.get("label") or next(iter(entry.values()))) if isinstance(entry, Mapping) else str(entry)


def _unit(unit: str, entries: Sequence[Any]) -> str:
    """A table of several metrics has the unit of each."""
    own = [entry["unit"] for entry in entries if isinstance(entry, Mapping) and "unit" in entry]
    return own[0] if own and unit == "as the metric" else unit


def _at(values: Any, places: Sequence[int]) -> Any:
    for place in places:
        if values is None:
            return None
        values = values[place]
    return values


def _more(body: Json) -> dict[str, str]:
    """Prompts and verdicts, which are no tables of numbers."""
    details, found = body["details"], {}
    if "pairs" in details:
        found["prompts"] = csv_text([row for pair in details["pairs"] for row in _prompts(pair)])
    if "verdicts" in details:
        verdicts = [{name: _flat(one.get(name)) for name in VERDICT} for one in details["verdicts"]]
        found["verdicts"] = csv_text(verdicts)
    if {"query", "key", "value"} <= set(details):
        found["attention"] = csv_text(list(_attention(body)))
    return found


def _attention(body: Json) -> Iterator[Row]:
    """The keys that a pattern lists, which are too few for a table of all tokens by all tokens."""
    tokens, details = body["coordinates"]["pos"], body["details"]
    for query, key, value in zip(*(details[name] for name in ("query", "key", "value")), strict=True):
        places = {"query.pos": query, "query.text": tokens[query]["text"]}
        places |= {"key.pos": key, "key.text": tokens[key]["text"]}
        yield places | {"mean": value, "unit": "fraction"}


def _prompts(pair: Json) -> Iterator[Row]:
    for which in ("clean", "corrupt"):
        prompt = pair[which]
        right = prompt["options"][prompt["correct"]]
        values = (pair["index"], which, prompt["text"], right["label"], right["content"])
        yield dict(zip(PAIR, values, strict=True))
