"""Freezes what links of this version lead to, for tests/test_links.py: later versions must open them.

    python scripts/freeze_links.py

Writes tests/fixtures/links/VERSION/: for every analysis a posted spec with the result that it got on the tiny
model of the tests, and in addresses.json addresses of the page that use every field, each with its meaning.
A version that is frozen stays as it is; a new analysis or field is added to the version that brings it.
"""

import os
import sys
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

os.environ["HF_HUB_OFFLINE"] = "1"
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import orjson  # noqa: E402

from analysis.analyses import ANALYSES  # noqa: E402
from backend import __version__  # noqa: E402
from backend.app import create_state  # noqa: E402
from backend.catalogue import add_model  # noqa: E402
from backend.services.specs import example_spec  # noqa: E402
from backend.settings import Settings  # noqa: E402
from frontend.nodes import Node  # noqa: E402
from frontend.state import DEFAULT, FIELDS, State, parse  # noqa: E402
from tests.tiny import save_tiny  # noqa: E402

FOLDER = ROOT / "tests" / "fixtures" / "links" / __version__
PROMPTS = {"set": "ordering", "n": 4}
SMALLER = {"low_rank": {"kinds": ["qk"], "ranks": [0, 1, 2, 8]}}  # parameters, so that a file stays small
KEY = "0123456789abcdef" * 4
VALUES = {
    "model": "tiny",
    "set": "ordering",
    "split": "train",
    "n": "8",
    "seed": "7",
    "sampler": "diff_letter",
    "options": "3",
    "labels": "numbers",
    "format": "A.",
    "prelude": "true",
    "shots": "2",
    "nodes": "attention",
    "metric": "letter_loss",
    "direction": "denoising",
    "positions": "label_correct",
    "source": "mean",
    "view": "direct",
    "sort": "node",
    "index": "3",
    "node": "L23H2",
    "weighting": "signed",
    "measure": "where,paths,subspace",
    "heads": "L23H0,L23H2",
    "verdicts": "L23H2:amplification",
    "thresholds": "diagonal:0.7",
    "by": "confidence",
    "order": "lowest",
    "category": "amplification",
    "find": "L23",
    "rows": "200",
    "step": "1000",
    "mutation": "shuffled",
    "at": "newline",
    "rope": "pre",
    "centring": "none",
    "rank": "5",
    "overlay": "dot",
    "cloud": "keys",
    "flat": "13",
    "kind": "v",
    "curve": "k",
    "steer_vector": "keys",
    "steer_mode": "move",
    "strength": "2.5",
    "bars": "accuracy",
    "bar": "dot",
    "role": "newline",
    "camera": "1.2,-1.3,1.1,0,0,0.25",
    "own": '{"labels":["W","X","Y","Z"],"closing":">"}',
    "pins": "L23H2,L23H0,MLP24",
    "receivers": "L25H1,MLP24",
    "notes": "L23H2:copies the letter, as in <5.2>\x1eMLP24:writes “A” & more",
    "figure": KEY,
    "embed": "1",
    "theme": "dark",
    "left": KEY,
    "right": "model:tiny",
    "between": "L23H0,L23H2",
    "x": "qk_score",
    "y": "label_mass",
    "colour": "layer",
}
PATHS = (
    "/",
    "/?set=sums&labels=numbers&options=4&n=64&seed=3&shots=1&node=MLP24",
    "/m/tiny/L23H2",
    "/m/HuggingFaceTB%2FSmolLM2-360M/L5H14?measure=where,knock,edges&weighting=value_weighted&index=2",
    "/m/smollm2-mcq/MLP24?positions=all&metric=letter_probability",
    "/heads?by=net_attribution&thresholds=diagonal:0.7",
    "/training?step=1000",
    "/compare?x=qk_score&colour=none",
    "/prompts?set=ordering",
    f"/f/{KEY}",
    f"/f/{KEY}?view=direct&node=L23H2&embed=1&theme=dark",
)


def main() -> None:
    """Write what is not frozen yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    known = addresses(FOLDER / "addresses.json")
    (FOLDER / "addresses.json").write_bytes(orjson.dumps(known, option=orjson.OPT_INDENT_2) + b"\n")
    missing = [name for name in ANALYSES if not (FOLDER / f"{name}.json").exists()]
    with tempfile.TemporaryDirectory() as folder:
        for name, link in results(Path(folder), missing).items():
            (FOLDER / f"{name}.json").write_bytes(orjson.dumps(link) + b"\n")
    print(f"{len(missing)} results added; {len(known)} addresses in {FOLDER.relative_to(ROOT)}")


def addresses(file: Path) -> list[dict[str, Any]]:
    """The addresses that are frozen already, and the others with the fields that they set."""
    frozen = orjson.loads(file.read_bytes()) if file.exists() else []
    texts = [*PATHS, *(f"/?{urlencode({name: VALUES[name]})}" for name in FIELDS)]
    new = set(texts) - {entry["address"] for entry in frozen}
    return frozen + [{"address": text, "state": meaning(text)} for text in texts if text in new]


def meaning(address: str) -> dict[str, Any]:
    """What differs from the home page; refuses an address that this very version cannot read."""
    parts = urlsplit(address)
    state, problems = parse(parts.path, f"?{parts.query}")
    if problems:
        raise SystemExit(f"{address}: {problems}")
    return plain(state)


def plain(state: State) -> dict[str, Any]:
    """The fields of a state that differ from the defaults, as JSON."""
    found = {field.name: getattr(state, field.name) for field in fields(state)}
    changed = {name: value for name, value in found.items() if value != getattr(DEFAULT, name)}
    texts = {name: str(value) if isinstance(value, Node) else value for name, value in changed.items()}
    return orjson.loads(orjson.dumps(texts))


def results(folder: Path, names: list[str]) -> dict[str, Any]:
    """Specs with their results, computed on the tiny model."""
    (folder / "tiny").mkdir()
    save_tiny(folder / "tiny")
    add_model(folder / "data", "tiny", folder / "tiny")
    state = create_state(Settings(data=folder / "data", default_model="tiny", threads=1, warm=False))
    found = {}
    for name in names:
        spec = example_spec(ANALYSES[name])
        spec |= {"prompts": spec["prompts"] | PROMPTS, "model": "tiny"}
        spec["parameters"] = spec["parameters"] | SMALLER.get(name, {})
        found[name] = {"spec": spec, "body": orjson.loads(state.results.compute(spec, lambda _: None))}
    state.renderings.close()
    state.store.close()
    return found


if __name__ == "__main__":
    main()
