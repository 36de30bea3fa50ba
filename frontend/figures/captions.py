"""What each kind of figure shows, in the words of a caption; `texts` puts them together with their origin."""

from collections.abc import Callable, Mapping
from typing import Any

from frontend.figures.choices import choices_of
from frontend.phrases import METRIC_PHRASE, METRIC_UNIT, NODE_WORD, in_unit, patched
from frontend.state import State
from frontend.vocabulary import (
    AT_NAME,
    BARS_NAME,
    CENTRING_NAME,
    KIND_PHRASE,
    MUTATION_NAME,
    ROLE_NAME,
    STEER_VECTOR_NAME,
)
from frontend.words import VIEW_NAME, count, token

Json = Mapping[str, Any]
Said = Callable[[Json, State], str]
NODES = {
    "all": "every head and MLP",
    "attention": "the attention of every layer",
    "residual": "the residual stream before every layer",
    "queries": "the query of every head",
    "keys": "the key of every head",
    "values": "the value of every head",
}


def _change(place: State) -> str:
    unit = in_unit(METRIC_UNIT[place.metric])
    return f"change of {METRIC_PHRASE[place.metric]} ({unit})"


def _effects(body: Json, place: State) -> str:
    asked = body["spec"]["parameters"]["nodes"]
    what = NODES[asked] if isinstance(asked, str) else ", ".join(asked)
    if place.view == "attribution":
        return f"Logit attribution of {what}: what each write adds to the correct letter’s centred logit."
    one = NODE_WORD[asked] if isinstance(asked, str) else "the node"
    name = f"{VIEW_NAME[place.view].removesuffix(' effect').capitalize()} effect"
    meaning = {
        "total": "everything after it recomputed",
        "direct": "only its path through the residual stream to the logits",
        "indirect": "total less direct effect",
    }[place.view]
    return f"{name} of {what}: {_change(place)} when {one} is {patched(choices_of(place))}, {meaning}."


def _attribution(_body: Json, place: State) -> str:
    of = f"; for {place.node} by correct letter and letter written" if place.node else ""
    return (
        "Logit attribution of every head and MLP at the final position of the clean prompts: logits added to "
        f"the correct letter, less the mean over the letters{of}."
    )


def _positions(body: Json, place: State) -> str:
    kinds = {"heads": f"every head of layer {place.node.layer}" if place.node else "every head"}
    what = kinds.get(body["spec"]["parameters"]["kind"], body["spec"]["parameters"]["kind"])
    done = body["details"]
    return (
        f"Total effect of {what} at single tokens: {_change(place)} when one is patched at one token. "
        f"{done['n_measured']} of {done['n_cells']} cells are measured, the others estimated by attribution "
        "patching."
    )


def _paths(_body: Json, place: State) -> str:
    return (
        f"Path effects of {place.node}: {_change(place)} when one later query, key, value, MLP or the logits "
        "alone reads its patched write."
    )


def _edges(body: Json, place: State) -> str:
    return (
        f"The strongest edges between nodes at the final position by their estimates: {_change(place)} along "
        f"one path alone. {body['details']['n_measured']} of them are measured by path patching."
    )


def _repair(_body: Json, place: State) -> str:
    return (
        f"Self-repair after {place.node} is patched: change of every component’s direct effect on the "
        "correct letter’s centred logit, in logits, read out with the final scale of the base run."
    )


def _knock(_body: Json, place: State) -> str:
    who = ", ".join(place.heads) or str(place.node or "all heads")
    return (
        f"Attention knock-out: {_change(place)} when {who} cannot attend from the final position to the "
        "tokens of one role; the other attention is scaled up."
    )


def _attention(_body: Json, place: State) -> str:
    return (
        f"Attention of {place.node} from the final position: on each label by the correct letter, and on "
        "each kind of token; as it is, value-weighted and output-weighted."
    )


def _tokens(_body: Json, place: State) -> str:
    what = {
        "raw": "Attention",
        "value_weighted": "Value-weighted attention",
        "output_weighted": "Output-weighted attention",
        "signed": "Logits added to the correct letter through each token by the attention",
    }[place.weighting]
    return f"{what} of {place.node} from the final position, token by token, on one clean prompt."


def _subspace(body: Json, place: State) -> str:
    over = body["spec"]["parameters"].get("mutation")
    laid = f" The mutation “{MUTATION_NAME.get(over, over)}” lies over them." if over else ""
    return (
        f"Queries of {place.node} at the final position and its keys at {AT_NAME[place.at]}, in the three "
        f"directions in which they vary most (centred by: {CENTRING_NAME[place.centring]}), fitted on "
        f"prompts of the other split.{laid}"
    )


def _heads(body: Json) -> str:
    return ", ".join(body["details"].get("heads") or body["spec"]["parameters"].get("heads") or ["all heads"])


def _low_rank(body: Json, place: State) -> str:
    return (
        f"What {_heads(body)} can still do with r of {body['details']['d_head']} dimensions of "
        f"{KIND_PHRASE[place.curve]} at the options and at the final position, against r: the "
        "strongest, random and the weakest dimensions, fitted on prompts of the other split."
    )


def _mutations(body: Json, place: State) -> str:
    return (
        f"{BARS_NAME[place.bars]} under mutations of the prompt’s form: as it is, with {_heads(body)} "
        f"ablated, at full rank, with {KIND_PHRASE[place.kind]} in {body['details']['rank']} dimensions "
        "fitted on unmutated prompts of the other split, in random dimensions, and chance."
    )


def _nth(body: Json, _place: State) -> str:
    return (
        f"Line or letter? On shuffled labels, how often keys and queries of {_heads(body)} are nearest to "
        "the mean of their line or of their letter; and where the attention goes with another prompt’s query."
    )


def _steer(_body: Json, place: State) -> str:
    how = {
        "swap": "taken from the corrupt prompt",
        "move": f"moved {place.strength:g} times the way to the corrupt prompt’s answer",
        "remove": "replaced by their mean",
    }[place.steer_mode]
    return (
        f"Attention and answer when {count(place.rank, 'dimension')} of {place.node}, of "
        f"{STEER_VECTOR_NAME[place.steer_vector]}, are {how}, all other dimensions as they were."
    )


def _qk(body: Json, _place: State) -> str:
    best = body["details"].get("best") or {}
    return (
        "QK-scores: how often the query of each head at the final position matches the correct option best, "
        f"by q · k alone. {best.get('head', 'No head')} was chosen on the other split."
    )


def _probes(_body: Json, place: State) -> str:
    return (
        "Accuracy of linear probes of the residual stream for line and symbol of an option, layer by layer, "
        f"read {ROLE_NAME[place.role]} of prompts with shuffled labels, cross-validated."
    )


def _pairs(body: Json, place: State) -> str:
    pair = next((one for one in body["details"]["pairs"] if one["index"] == place.index), None)
    pair = pair or body["details"]["pairs"][0]
    label = token(pair["clean"]["options"][pair["clean"]["correct"]]["label"])
    return f"Prompt pair {pair['index'] + 1}: clean and corrupt; correct in the clean prompt is ({label})."


SAID: Mapping[str, Said] = {
    "prompts": _pairs,
    "gate": lambda _, __: (
        "Capability gate: how often the correct option is found by its letter, by its content, and in both "
        "prompts of a pair; centred logit and losses of the correct letter."
    ),
    "attribution": _attribution,
    "effects": _effects,
    "position_effects": _positions,
    "curves": lambda body, _: (
        f"Sufficiency, necessity and faithfulness of the first k nodes of a ranking, beside "
        f"{body['details']['n_random']} random rankings, and the share of the positive attribution that they "
        "hold."
    ),
    "paths": _paths,
    "edge_estimates": _edges,
    "self_repair": _repair,
    "knock_out": _knock,
    "attention": _attention,
    "token_attention": _tokens,
    "categories": lambda _, __: (
        "Category of every head by its attention, attribution and total effect, with confidence and measures."
    ),
    "qk_scores": _qk,
    "subspace": _subspace,
    "low_rank": _low_rank,
    "mutations": _mutations,
    "nth_item": _nth,
    "bias": lambda _, __: (
        "Selection bias over all cyclic orders of the options: prior and recall of every letter, accuracy "
        "with and without the prior, and how much of every node’s attribution is prior."
    ),
    "steer": _steer,
    "probes": _probes,
    "pseudocode": lambda _, place: (
        f"{place.node} as an algorithm, and how often it picks the same option as the head’s attention under "
        "each mutation, on prompts that it was not made from."
    ),
    "checkpoint": lambda _, __: (
        "One training step: accuracy by mutation, number of heads of each category, and how far the best "
        "heads follow line or letter and keep their answer in three dimensions."
    ),
    "pattern": lambda _, place: f"Attention pattern of {place.node} on one prompt, from every token.",
    "thumbnails": lambda _, __: "Attention patterns of all heads on one prompt.",
}
