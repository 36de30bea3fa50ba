"""Words for a figure: its title, a caption and a methods paragraph for a paper, and code that reproduces it.

All of it is made from the result's own spec and provenance.
"""

import json
from collections.abc import Mapping
from typing import Any

from frontend.addresses import model_of, name_of, state_of
from frontend.figures.captions import SAID
from frontend.figures.methods import METHOD, REFERENCES
from frontend.phrases import for_set, is_finished, set_of
from frontend.state import State
from frontend.words import count, number, tiny, visible

Json = Mapping[str, Any]
MAIN = {  # the table that a figure is mostly about
    "effects": "total_effect",
    "attribution": "net",
    "position_effects": "total_effect",
    "paths": "path_effect",
    "curves": "curve",
    "knock_out": "effect",
    "low_rank": "measured",
    "categories": "diagonal_share",
    "token_attention": "attention",
}
ADDRESS = "http://127.0.0.1:8050"  # where `headscope serve` listens if nothing else is said


def title(spec: Json, name: str) -> str:
    """`Path effects of L23H2`: a kind's name with the node or the heads that it is about."""
    parameters = spec.get("parameters") or {}
    heads, nodes = parameters.get("heads"), parameters.get("nodes")
    about = heads if isinstance(heads, (list, tuple)) else nodes if name_of(spec) == "effects" else None
    if isinstance(about, (list, tuple)) and about:
        return f"{name}: {', '.join(about)}"
    place = state_of(spec)
    own = place.node if place.page == "head" and name_of(spec) not in OF_NO_NODE else None
    return f"{name}: {own}" if own else name


OF_NO_NODE = ("position_effects", "probes")


def where_from(spec: Json, prompts: str, n: int) -> str:
    """`smollm2-mcq · stated facts, held out · 32 pairs`."""
    index = (spec.get("prompts") or {}).get("index")
    pairs = count(n, "pair") if index is None else f"question {index + 1}"
    return " · ".join(visible(part) for part in (model_of(spec) or "default model", prompts, pairs))


def caption(body: Json, place: State) -> str:
    """What is shown, on which prompts of which model, over how many pairs."""
    name = name_of(body["spec"])
    what = SAID[name](body, place) if name in SAID else f"{name.replace('_', ' ').capitalize()}."
    return f"{for_set(what, set_of(body))} {_origin(body)}"


def _origin(body: Json) -> str:
    origin, index = body["provenance"], body["spec"]["prompts"]["index"]
    model = f"Model {origin['model']} ({origin['dtype']}); prompts: {origin['prompts']}"
    if index is not None:
        drawn = body["spec"]["prompts"]["n"]
        return (
            f"{model}; pair {index + 1} of {drawn} drawn with seed {origin['seed']}: one pair, an anecdote."
        )
    spread = ", 95 % intervals over prompts" if _has_intervals(body) else ""
    return f"{model}; n = {count(body['n'], 'pair')}, seed {origin['seed']}{spread}."


def _has_intervals(body: Json) -> bool:
    return any(table.get("low") is not None for table in body["tables"].values())


def methods(body: Json) -> str:
    """How it was computed, with sources, precision and version."""
    spec, origin = body["spec"], body["provenance"]
    how = for_set(METHOD.get(name_of(spec), ""), set_of(body))
    spread = (
        "Intervals are 95 % percentile intervals of 2,000 bootstrap resamples of the prompts, paired over "
        "values; shares of prompts that are counted right have Wilson intervals. "
        if _has_intervals(body)
        else ""
    )
    cited = [text for mark, text in REFERENCES.items() if mark in how]
    sources = f"References: {' '.join(cited)} " if cited else ""
    return f"{_task(body)} {how} {spread}{_computed(body)} {sources}Key {body['key']}, {origin['date'][:10]}."


def _task(body: Json) -> str:
    prompts, origin = body["spec"]["prompts"], body["provenance"]
    if is_finished(prompts["set"]):
        drawn = not prompts["set"].startswith(("text-", "pairs-"))
        made = f"drawn with seed {origin['seed']}" if drawn else "taken as they were written"
        n = count(body["n"], "pair")
        return f"Prompts: {n} of {origin['prompts']}, each with its own corrupt prompt, {made}."
    corrupt = {
        "swap_options": "in the corrupt prompt the correct option and another one change places",
        "diff_letter": "the corrupt prompt is another question with another correct letter",
        "same_letter": "the corrupt prompt is another question with the same correct letter",
    }.get(prompts["sampler"], f"the corrupt prompt is made by {prompts['sampler']}")
    shots = f", after {count(prompts['shots'], 'answered question')}" if prompts["shots"] else ""
    return (
        f"Prompts: {count(body['n'], 'pair')} of {origin['prompts']}, {prompts['n_options']} options, format "
        f"{prompts['format']}{shots}, drawn with seed {origin['seed']}; {corrupt}."
    )


def _computed(body: Json) -> str:
    origin = body["provenance"]
    rounding = origin.get("rounding")
    rounded = f", rounding {tiny(rounding)} logits" if rounding is not None else ""
    return (
        f"Computed with headscope {origin['version']} on {origin['model']} (weights {origin['revision']}) in "
        f"{origin['dtype']} on {origin['device']}{rounded}: "
        f"{count(origin['forward_passes'], 'forward pass', 'forward passes')}, "
        f"{number(origin['seconds'], 1)} s. On this model the engine and plain hooks differ by at most "
        f"{tiny(origin['certificate'])} logits."
    )


def posted(spec: Json) -> dict[str, Any]:
    """The spec to post for a resolved one: model and prompts by name, every parameter as it was."""
    prompts = {name: value for name, value in (spec.get("prompts") or {}).items() if name != "pairs"}
    return {
        "schema": spec.get("schema", 1),
        "analysis": name_of(spec),
        "model": model_of(spec),
        "prompts": prompts,
        "parameters": dict(spec.get("parameters") or {}),
    }


def python_of(body: Json, address: str = ADDRESS) -> str:
    """Code that asks a server for exactly this result and says whether it is the same."""
    spec = posted(body["spec"])
    table = MAIN.get(spec["analysis"], next(iter(body["tables"]), None))
    read = f'\ntable = result.table("{table}")\nprint(table.axes, table.values)\n' if table else ""
    return (
        f"# {title(spec, name_of(spec).replace('_', ' '))}\n# {_origin(body)}\n"
        "from headscope import Client\n\n"
        f"spec = {_literal(spec)}\n"
        f"result = Client({json.dumps(address)}).result(spec)\n"
        "# The key names model, weights, questions and parameters: the same key, the same numbers.\n"
        f"key = {json.dumps(body['key'])}\n"
        'print("the same" if result.key == key else "another result:", result.key)\n'
        f"{read}"
    )


def _literal(value: Any, indent: int = 0) -> str:
    """A Python literal, a line for every field of the outer two levels."""
    if not isinstance(value, Mapping) or not value or indent > 4:
        return repr(value)
    inner = " " * (indent + 4)
    lines = [f"{inner}{name!r}: {_literal(one, indent + 4)}," for name, one in value.items()]
    return "\n".join(["{", *lines, " " * indent + "}"])
