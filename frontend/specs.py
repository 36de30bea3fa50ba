"""Specs for the API: what each panel asks for, made from the state of the page."""

from typing import Any

from frontend.state import Node, State

Spec = dict[str, Any]


def _spec(state: State, analysis: str, *, index: int | None = None, **parameters: Any) -> Spec:
    prompts = {
        "set": state.set,
        "split": state.split,
        "n": state.n,
        "seed": state.seed,
        "index": index,
        "n_options": state.options,
        "label_style": state.labels,
        "format": state.format,
        "prelude": state.prelude,
        "shots": state.shots,
        "sampler": state.sampler,
    }
    return {
        "schema": 1,
        "analysis": analysis,
        "model": state.model,
        "prompts": prompts,
        "parameters": parameters,
    }


def prompts(state: State) -> Spec:
    """All pairs, as text and tokens."""
    return _spec(state, "prompts")


def gate(state: State) -> Spec:
    """Whether the model does the task."""
    return _spec(state, "gate")


def sweep(state: State) -> Spec:
    """Effects of every node over all pairs."""
    return _spec(state, "effects", nodes="all")


def pair_effects(state: State, node: Node) -> Spec:
    """Effects of one node on the chosen pair."""
    return _spec(state, "effects", index=state.index, nodes=[str(node)])


def attention(state: State, node: Node) -> Spec:
    """Attention of one head over all pairs, by role and by label."""
    return _spec(state, "attention", layer=node.layer, head=node.head)


def attribution(state: State) -> Spec:
    """Attribution of every component to every letter over all pairs."""
    return _spec(state, "attribution")


def token_attention(state: State, node: Node) -> Spec:
    """Attention of one head on the chosen pair's clean prompt, token by token."""
    return _spec(state, "token_attention", index=state.index, layer=node.layer, head=node.head)
