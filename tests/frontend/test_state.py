"""The address of the page: what is written can be read back, and what cannot be used is said."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend.heads import CATEGORIES, COLUMNS, ORDERS, THRESHOLDS
from frontend.marks import in_order
from frontend.nodes import Node
from frontend.options import (
    DIRECTIONS,
    FORMATS,
    LABELS,
    METRICS,
    NODES,
    PAGES,
    POSITIONS,
    SAMPLERS,
    SECTIONS,
    SORTS,
    SOURCES,
    SPLITS,
    WEIGHTINGS,
)
from frontend.state import DEFAULT, FIELDS, State, parse, write

names = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=40)
layers = st.integers(0, 200)
nodes = st.builds(Node, layers, st.integers(0, 200), st.sampled_from(["", "q", "k", "v"])) | st.builds(
    Node, layers, st.none(), st.sampled_from(["", "attn", "resid"])
)

heads = st.builds(Node, layers, st.integers(0, 200))


def of_all_heads(draw: st.DrawFn) -> dict[str, Any]:
    """What the address says of all heads at once, in the order in which it is written."""
    judged = draw(st.dictionaries(heads, st.sampled_from(CATEGORIES), max_size=3))
    moved = draw(st.dictionaries(st.sampled_from(THRESHOLDS), st.integers(0, 1000), max_size=3))
    return {
        "heads": tuple(str(head) for head in sorted(draw(st.sets(heads, max_size=3)))),
        "verdicts": tuple((str(head), judged[head]) for head in sorted(judged)),
        "thresholds": tuple((name, f"{moved[name] / 100:g}") for name in sorted(moved)),
        "by": draw(st.sampled_from(COLUMNS)),
        "order": draw(st.sampled_from(ORDERS)),
        "category": draw(st.sampled_from(("all", *CATEGORIES))),
        "find": draw(st.just("") | names),
        "rows": draw(st.integers(1, 100_000)),
        "step": draw(st.none() | st.integers(0, 10**9)),
    }


def of_the_reader(draw: st.DrawFn) -> dict[str, Any]:
    """Pins and receivers in the order of choosing, notes in that of the computation."""
    owners = st.builds(Node, layers, st.none() | st.integers(0, 200))
    said = draw(st.dictionaries(owners, names, max_size=3))
    return {
        "pins": tuple(map(str, draw(st.lists(owners, max_size=4, unique=True)))),
        "receivers": tuple(map(str, draw(st.lists(owners, max_size=4, unique=True)))),
        "notes": tuple((str(node), said[node]) for node in sorted(said, key=in_order)),
    }


@st.composite
def states(draw: st.DrawFn) -> State:
    n = draw(st.integers(1, 1000))
    node = draw(st.none() | nodes)
    page = "head" if node and node == node.owner and draw(st.booleans()) else "map"
    kind, positions = draw(st.sampled_from(NODES)), draw(st.sampled_from(POSITIONS))
    return State(
        page=page if page == "head" else draw(st.sampled_from(("map", *PAGES.values()))),
        **of_all_heads(draw),
        **of_the_reader(draw),
        model=draw(names),
        set=draw(names),
        split=draw(st.sampled_from(SPLITS)),
        n=n,
        seed=draw(st.integers(0, 2**31 - 1)),
        sampler=draw(st.sampled_from(SAMPLERS)),
        options=draw(st.integers(2, 10)),
        labels=draw(st.sampled_from(LABELS)),
        format=draw(st.sampled_from(FORMATS)),
        prelude=draw(st.booleans()),
        shots=draw(st.integers(0, 5)),
        nodes=kind,
        metric=draw(st.sampled_from(METRICS)),
        direction=draw(st.sampled_from(DIRECTIONS)),
        positions=positions,
        source=draw(st.sampled_from(SOURCES)),
        view=draw(st.sampled_from(State(nodes=kind, positions=positions).views)),
        sort=draw(st.sampled_from(SORTS)),
        index=draw(st.integers(0, n - 1)),
        node=node,
        weighting=draw(st.sampled_from(WEIGHTINGS)),
        measure=tuple(name for name in SECTIONS if draw(st.booleans())),
    )


@given(states())
def test_what_is_written_is_read_back(state: State) -> None:
    assert parse(*write(state)) == (state, [])


def test_defaults_are_not_written() -> None:
    assert write(DEFAULT) == ("/", "")
    assert write(State(n=16, node=Node(23, 2))) == ("/", "?n=16&node=L23H2")


def test_a_head_has_its_own_path() -> None:
    state = State(page="head", model="org/name", node=Node(23, 2), index=3)
    assert write(state) == ("/m/org%2Fname/L23H2", "?index=3")


@pytest.mark.parametrize("text", ["L23H2", "l23h2", " L23 H2 ", "23.2", "mlp24", "MLP24"])
def test_nodes_are_read_as_people_type_them(text: str) -> None:
    assert str(Node.read(text)) in ("L23H2", "MLP24")


@pytest.mark.parametrize(
    ("search", "field", "allowed"),
    [
        ("?n=abc", "n", "1 to 1000"),
        ("?n=0", "n", "1 to 1000"),
        ("?n=²", "n", "1 to 1000"),
        ("?n=-3", "n", "1 to 1000"),
        ("?view=nonsense", "view", "attribution, total, direct, indirect"),
        ("?prelude=maybe", "prelude", "true or false"),
        ("?node=L99", "node", "L23H2"),
        ("?options=11", "options", "2 to 10"),
        ("?metric=wisdom", "metric", "centred_logit"),
        ("?positions=somewhere", "positions", "label_correct"),
        ("?measure=where,whither", "measure", "commas"),
        ("?set=", "set", "prompt set"),
        ("?index=40", "index", "counted from 0"),
    ],
)
def test_a_bad_value_is_named_and_its_default_kept(search: str, field: str, allowed: str) -> None:
    state, problems = parse("/", search)
    assert state == DEFAULT
    assert len(problems) == 1
    assert problems[0].startswith(field) and allowed in problems[0]


def test_unknown_fields_and_paths_are_said() -> None:
    assert "no such field" in parse("/", "?foo=1")[1][0]
    assert "no page at /nowhere" in parse("/nowhere", "")[1][0]
    assert "node" in parse("/m/tiny/L99", "")[1][0]


def test_a_view_that_does_not_exist_for_a_choice_is_said() -> None:
    state, problems = parse("/", "?positions=all&view=direct")
    assert state == State(positions="all") and "final position" in problems[0]
    assert parse("/", "?view=direct")[0].view == "direct"


def test_only_heads_and_mlps_have_a_page() -> None:
    assert parse("/m/tiny/L2H1.q", "")[0] == State(page="head", model="tiny", node=Node(2, 1))
    assert parse("/m/tiny/ATTN2", "")[0] == State(page="map", model="tiny", node=Node(2, None, "attn"))


@given(st.text(max_size=80), st.text(max_size=120))
def test_no_address_breaks_the_page(path: str, search: str) -> None:
    state, problems = parse(path, search)
    assert isinstance(state, State)
    assert all(isinstance(problem, str) and problem for problem in problems)


def test_every_field_of_the_address_is_a_field_of_the_state() -> None:
    assert set(FIELDS) == {field.name for field in dataclasses.fields(State)} - {"page"}
