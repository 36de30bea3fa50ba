"""Real results of every analysis, of a tiny model: what the page draws is what the server computes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]
HEADS, HEAD = {"heads": ["L1H1"]}, {"layer": 1, "head": 1}
PARAMETERS: Mapping[str, Json] = {
    "paths": {"sender": "L0H1"},
    "self_repair": {"node": "L0H1"},
    "knock_out": HEADS,
    "attention": HEAD,
    "token_attention": HEAD,
    "pattern": HEAD,
    "subspace": {**HEAD, "n_fit": 8},
    "low_rank": {**HEADS, "n_fit": 8, "ranks": [0, 1, 3, 8]},
    "mutations": {**HEADS, "n_fit": 8, "mutations": ["none", "shuffled"]},
    "nth_item": {**HEADS, "n_fit": 8},
    "steer": {**HEAD, "n_fit": 8},
    "pseudocode": {**HEAD, "n_fit": 8, "mutations": ["none", "shuffled"]},
    "checkpoint": {"n_fit": 8},
    "qk_scores": {"n_fit": 8},
    "curves": {"nodes": ["MLP1", "L0H0", "L1H1"], "n_random": 2, "points": 3},
    "edge_estimates": {"top": 20, "verify": 3},
    "position_effects": {"layer": 1, "verify": 12},
}


def spec_of(analysis: str, *, one_pair: bool = False, n: int = 2) -> Json:
    """A small spec of an analysis."""
    prompts = {"n": n, "index": 0 if one_pair else None}
    parameters = PARAMETERS.get(analysis, {})
    return {
        "schema": 1,
        "analysis": analysis,
        "model": "tiny",
        "prompts": prompts,
        "parameters": parameters,
    }


def computed(folder: Path, model: Path) -> dict[str, Json]:
    """Results by analysis, computed without a server."""
    from analysis.analyses import ANALYSES
    from backend.app import create_state
    from backend.catalogue import add_model
    from backend.settings import Settings

    add_model(folder, "tiny", model)
    state = create_state(Settings(data=folder, threads=1, default_model="tiny"))
    specs = {name: spec_of(name, one_pair=one.one_pair) for name, one in ANALYSES.items()}
    bodies = {name: json.loads(state.results.compute(spec, lambda _: None)) for name, spec in specs.items()}
    state.store.close()
    return bodies
