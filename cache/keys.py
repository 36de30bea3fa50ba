"""One value, one key: canonical JSON and its SHA-256."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any


def canonical_json(value: Any) -> bytes:
    """The one way to write a JSON value: UTF-8, keys sorted by code point, no spaces, floats as `repr`.

    -0.0 is written as 0.0. The integer 1 and the float 1.0 stay different: a resolved spec has settled its
    types. Text is taken code point by code point: the composed and decomposed forms (NFC, NFD) of a letter
    are different, because a tokenizer reads them differently. NaN, infinities, lone surrogates, keys that
    are not text and values that are not JSON are refused (ValueError or TypeError).
    """
    plain = _plain(value)
    return json.dumps(
        plain, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    ).encode()


def key_for(value: Any) -> str:
    """The key of a JSON value: 64 hex digits, SHA-256 of its canonical JSON."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{value} is not a JSON number.")
            return float(value) + 0.0  # -0.0 + 0.0 is 0.0
        case Mapping():
            return {_text(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} is not a JSON value: {value!r}")


def _text(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"A JSON object's keys are text, not {key!r}.")
    return key
