"""Tensors to bytes and back: chunk values as safetensors, results as JSON whose every number is finite."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from safetensors.torch import load, save
from torch import Tensor

from analysis.analyses.base import Summary, Table

COST = "cost"
NOT_FINITE = "no finite value: no prompt has this combination, or the model overflowed"


def pack(values: Mapping[str, Tensor], cost: Mapping[str, float]) -> bytes:
    """Values of one pair and what they cost, as safetensors."""
    return save(
        {name: value.contiguous() for name, value in values.items()}, metadata={COST: json.dumps(dict(cost))}
    )


def unpack(payload: bytes) -> tuple[dict[str, Tensor], dict[str, float]]:
    """The inverse of `pack`."""
    header = orjson.loads(payload[8 : 8 + int.from_bytes(payload[:8], "little")])
    return load(payload), orjson.loads(header["__metadata__"][COST])


def encode_summary(summary: Summary) -> dict[str, Any]:
    """Tables and coordinates, JSON-ready; a value that is not finite becomes null, named with its reason."""
    failures: list[dict[str, str]] = []
    tables = {
        name: _encode_table(name, table, summary.coordinates, failures)
        for name, table in summary.tables.items()
    }
    return {
        "coordinates": {axis: list(names) for axis, names in summary.coordinates.items()},
        "tables": tables,
        "details": dict(summary.details),
        "failures": failures,
        "warnings": list(summary.warnings),
    }


def _encode_table(
    name: str, table: Table, coordinates: Mapping[str, Sequence[Any]], failures: list[dict[str, str]]
) -> dict[str, Any]:
    for index in table.mean.isfinite().logical_not().nonzero().tolist():
        place = " ".join(_name(coordinates, axis, i) for axis, i in zip(table.axes, index, strict=True))
        failures.append({"table": name, "where": place, "reason": NOT_FINITE})
    ends = {end: _finite(value) for end in ("low", "high") if (value := getattr(table, end)) is not None}
    return {
        "axes": list(table.axes),
        "unit": table.unit,
        "mean": _finite(table.mean),
        "low": None,
        "high": None,
    } | ends


def _name(coordinates: Mapping[str, Sequence[Any]], axis: str, index: int) -> str:
    named = coordinates[axis][index] if axis in coordinates else index
    return str(named.get("label") or next(iter(named.values()))) if isinstance(named, dict) else str(named)


def _finite(values: Tensor) -> Any:
    """Nested lists of floats in the shortest form that reads back to the same float32; null for NaN."""
    array = values.float().contiguous()[None].numpy()  # a lone number is no array to orjson
    return orjson.loads(orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY))[0]


def encode_result(body: Mapping[str, Any]) -> bytes:
    """The bytes of a finished result, which are stored and sent as they are."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
