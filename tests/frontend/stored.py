"""Results as an earlier version stored them, one for every analysis; and the same with hostile texts."""

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
FOLDER = Path(__file__).parents[1] / "fixtures" / "links" / "0.1.0"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "addresses")
HOSTILE = '"><img src=x onerror=window.__pwned=1></script><script>window.__pwned=1</script>=1+1'
TEXTS = {"text", "question", "content", "prelude", "example", "title", "isolates", "code", "meaning"}


def stored(name: str) -> Json:
    """The body of the stored result of an analysis."""
    return json.loads((FOLDER / f"{name}.json").read_text())["body"]


def hostile(name: str) -> Json:
    """The same with a text that wants to run in every place where text of a prompt or a set can stand."""
    body = stored(name)
    body["coordinates"] = _with_payload(body["coordinates"])
    body["details"] = _with_payload(body["details"])
    body["provenance"] |= {"prompts": HOSTILE}
    for answers in ("answer", "correct"):
        if answers in body["coordinates"]:
            body["coordinates"][answers] = [f"{one}{HOSTILE}" for one in body["coordinates"][answers]]
    return body


def _with_payload(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: HOSTILE if name in TEXTS and isinstance(one, str) else _with_payload(one)
            for name, one in value.items()
        }
    return [_with_payload(one) for one in value] if isinstance(value, list) else value
