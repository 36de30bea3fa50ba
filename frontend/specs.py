"""Specs for the API: what each panel asks for, made from the state of the page."""

from typing import Any

from frontend.nodes import Node
from frontend.own import parts_of
from frontend.state import DEFAULT, State

Spec = dict[str, Any]
CHOICES = ("metric", "direction", "positions", "source")
EDGES, MEASURED_EDGES = 40, 20  # how many are listed, and how many of these are measured


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
        **_chosen(state, "mutation"),
        **({"own_mutation": parts_of(state.own)} if state.own else {}),
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


def draw(state: State, first: int, limit: int, *, check: bool = True) -> Spec:
    """Some pairs of the draw, to be looked at and edited; `check`: as the model's tokenizer reads them."""
    chosen = _spec(state, "prompts")["prompts"]
    return {"model": state.model, "prompts": chosen, "first": first, "limit": limit, "check": check}


def gate(state: State) -> Spec:
    """Whether the model does the task."""
    return _spec(state, "gate")


def _chosen(state: State, *names: str) -> dict[str, Any]:
    """The named choices where they differ from the defaults, which the API has too."""
    return {name: getattr(state, name) for name in names if getattr(state, name) != getattr(DEFAULT, name)}


def sweep(state: State) -> Spec:
    """Effects of every node that the map shows, over all pairs."""
    return _spec(state, "effects", nodes=state.nodes, **_chosen(state, *CHOICES))


def writers_sweep(state: State) -> Spec:
    """Effects of every head and MLP over all pairs, as the page of a node needs them."""
    return _spec(state, "effects", nodes="all", **_chosen(state, *CHOICES))


def pair_effects(state: State, node: Node) -> Spec:
    """Effects of one node on the chosen pair."""
    return _spec(state, "effects", index=state.index, nodes=[str(node)], **_chosen(state, *CHOICES))


def ranking(state: State) -> Spec:
    """The effects whose attributions rank all heads and MLPs: the map as it is without any choice."""
    return _spec(state, "effects", nodes="all")


def curves(ranked: Spec, order: list[str]) -> Spec:
    """How far the first k nodes of a ranking get, on the same prompts."""
    return ranked | {"analysis": "curves", "parameters": {"nodes": order}}


def position_effects(state: State, node: Node) -> Spec:
    """Effects at every position of the chosen pair: of the head's whole layer, or of all MLPs."""
    where: dict[str, Any] = {"kind": "mlps"} if node.head is None else {"kind": "heads", "layer": node.layer}
    return _spec(
        state, "position_effects", index=state.index, **where, **_chosen(state, "metric", "direction")
    )


def edges(state: State) -> Spec:
    """The strongest edges of the chosen pair by their estimates, the first of them measured."""
    return _spec(
        state,
        "edge_estimates",
        index=state.index,
        top=EDGES,
        verify=MEASURED_EDGES,
        **_chosen(state, "metric", "direction"),
    )


def paths(state: State, node: Node) -> Spec:
    """Path effects from a node to everything that reads it later, over all pairs."""
    positions = "final" if state.positions == "final" else "all"
    return _spec(
        state, "paths", sender=str(node), positions=positions, **_chosen(state, "metric", "direction")
    )


def self_repair(state: State, node: Node) -> Spec:
    """Who makes up for a node when it is patched, over all pairs."""
    return _spec(state, "self_repair", node=str(node), **_chosen(state, "direction"))


def knock_out(state: State, node: Node) -> Spec:
    """What happens when a head may not look at one kind of token, over all pairs."""
    return _spec(state, "knock_out", heads=[str(node)], **_chosen(state, "metric"))


def attention(state: State, node: Node) -> Spec:
    """Attention of one head over all pairs, by role and by label."""
    return _spec(state, "attention", layer=node.layer, head=node.head)


def attribution(state: State) -> Spec:
    """Attribution of every component to every letter over all pairs."""
    return _spec(state, "attribution")


def _vectors(state: State) -> dict[str, Any]:
    """Which vectors of a head are taken, and how they are centred."""
    return {"at": state.at, "rope": state.rope, "centring": state.centring}


def subspace(state: State, node: Node) -> Spec:
    """Queries and keys of one head in their strongest dimensions, with a mutation laid over them."""
    over: dict[str, Any] = {"mutation": state.overlay} if state.overlay != DEFAULT.overlay else {}
    return _spec(state, "subspace", layer=node.layer, head=node.head, **_vectors(state), **over)


def low_rank(state: State, node: Node) -> Spec:
    """What remains of heads that keep only some dimensions."""
    return _spec(state, "low_rank", heads=heads_of(state, node), **_vectors(state))


def steer(state: State, node: Node) -> Spec:
    """A head's query or keys changed inside the subspace only."""
    how: dict[str, Any] = {"vector": state.steer_vector, "mode": state.steer_mode, "rank": state.rank}
    by: dict[str, Any] = {"strength": state.strength} if state.steer_mode == "move" else {}
    where: dict[str, Any] = {"at": state.at, "rope": state.rope}
    return _spec(state, "steer", layer=node.layer, head=node.head, **how, **by, **where)


def mutations(state: State, node: Node) -> Spec:
    """Whether a few dimensions still do once the form of the prompt changes."""
    return _spec(state, "mutations", heads=heads_of(state, node), rank=state.rank, kind=state.kind)


def nth_item(state: State, node: Node) -> Spec:
    """Does the head point at the n-th line or at a letter?"""
    return _spec(state, "nth_item", heads=heads_of(state, node))


def pseudocode(state: State, node: Node) -> Spec:
    """How often a stated algorithm picks the same option as the head, mutation by mutation."""
    return _spec(state, "pseudocode", layer=node.layer, head=node.head)


def probes(state: State) -> Spec:
    """From which layer on a token knows its line and its symbol."""
    return _spec(state, "probes", role=state.role)


def heads_of(state: State, node: Node) -> list[str]:
    """The heads that are analysed together: those of the address, otherwise the one of the page."""
    return list(state.heads) or [str(node)]


def categories(state: State) -> Spec:
    """What every head does, by thresholds of which only those that were moved are named."""
    spec = _spec(state, "categories")
    spec["parameters"] |= {name: float(value) for name, value in state.thresholds}
    return spec


def qk_scores(state: State) -> Spec:
    """Whether each head's query picks the correct label, whatever the model then says."""
    return _spec(state, "qk_scores")


def bias(state: State) -> Spec:
    """Which letter the model prefers whatever stands behind it."""
    return _spec(state, "bias")


def checkpoint(state: State, model: str) -> Spec:
    """What one training step of a model can do and how its heads do it, on the same prompts."""
    return _spec(state, "checkpoint") | {"model": model}


def pattern(state: State, node: Node) -> Spec:
    """Attention of one head from every token of the chosen pair's clean prompt."""
    return _spec(state, "pattern", index=state.index, layer=node.layer, head=node.head)


def thumbnails(state: State) -> Spec:
    """Small pictures of the attention of all heads on the chosen pair's clean prompt."""
    return _spec(state, "thumbnails", index=state.index)


def token_attention(state: State, node: Node) -> Spec:
    """Attention of one head on the chosen pair's clean prompt, token by token."""
    return _spec(state, "token_attention", index=state.index, layer=node.layer, head=node.head)
