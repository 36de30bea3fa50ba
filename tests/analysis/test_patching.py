"""The exact engine against plain hooks, every kind of intervention in every family; and broken on purpose.

Prompts, networks, nodes and positions are drawn at random; a counterexample is shrunk and shown.
"""

from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import naive
from analysis.adapter import hooked
from analysis.errors import MisalignedPrompts
from analysis.interventions import KnockOut, Patch, PathPatch, every_receiver
from analysis.model import LanguageModel
from analysis.nodes import LOGITS, Head, Key, Mlp, Query, Residual, Value, all_nodes, nodes_of
from analysis.patching import bytes_per_position, patched_finals, patched_hidden, record_and_patch
from analysis.run import record, record_pair
from tests.analysis.conftest import FAMILIES, VOCABULARY, tiny_network

EXACT = 1e-4
N_LAYERS, N_HEADS = 4, 4
KINDS = ("all", "attention", "residual", "queries", "keys", "values")
NODES = [node for kind in KINDS for node in nodes_of(kind, N_LAYERS, N_HEADS)]
SOME = [node for kind in KINDS for node in nodes_of(kind, N_LAYERS, N_HEADS)[1::3]]  # of every kind


def token_ids(seed, n_prompts=2, n_tokens=14, split=9):
    """Base and source prompts that share their first tokens and their last one."""
    draw = torch.Generator().manual_seed(seed)
    base = torch.randint(3, VOCABULARY, (n_prompts, n_tokens), generator=draw)
    source = base.clone()
    source[:, split:-1] = torch.randint(3, VOCABULARY, (n_prompts, n_tokens - split - 1), generator=draw)
    return base, source


def at(base, *positions):
    """These positions of every prompt."""
    mask = torch.zeros_like(base, dtype=torch.bool)
    mask[:, list(positions)] = True
    return mask


def differences(model, base, source, interventions, start):
    """Largest difference of the engine's logits from plain hooks', in one pass and in two; the effects."""
    plain = naive.record_plainly(model, source, base.shape[1] - start)
    expected = naive.patched_logits(model, base, plain, interventions)
    recorded, values, together = record_and_patch(model, base, source, start, interventions)
    apart = patched_hidden(model, recorded, values, interventions)
    with torch.inference_mode():
        worst = [float((model.logits(rows) - expected).abs().max()) for rows in (together, apart)]
    effects = (expected - naive.plain_logits(model, base)).abs().amax((1, 2))
    return max(worst), effects


def position_modes(base, start):
    """The final position, one, two apart, and all from the first differing token on."""
    end = base.shape[1] - 1
    return [at(base, end), at(base, start), at(base, start + 1, end), at(base, *range(start, end + 1))]


def test_every_node_in_every_position_mode(model):
    base, source = token_ids(0)
    patches = [Patch((node,), where) for node in SOME for where in position_modes(base, 9)]
    worst, effects = differences(model, base, source, patches, 9)
    assert worst <= EXACT
    assert (effects > 1e-3).float().mean() > 0.5  # some must be nothing, such as in the last layer


def test_paths(model):
    base, source = token_ids(1)
    paths = [
        PathPatch(sender, frozenset(receivers), where)
        for sender in (Head(0, 1), Mlp(0), Head(2, 3), Mlp(3))
        for every in [every_receiver(sender, N_LAYERS, N_HEADS)]
        for receivers, where in (
            (every[::3], at(base, 13)),
            (every[1::5], at(base, *range(9, 14))),
            ((LOGITS,), at(base, 10, 13)),
        )
    ]
    worst, effects = differences(model, base, source, paths, 9)
    assert worst <= EXACT
    assert (effects > 1e-3).float().mean() > 0.5


def test_all_paths_are_the_total_effect_and_no_path_is_nothing(model):
    base, source = token_ids(2)
    senders = [Head(0, 2), Mlp(0), Head(1, 0), Head(3, 1), Mlp(2)]
    for where in (at(base, 13), at(base, 10, 12), at(base, *range(9, 14))):
        total = [Patch((sender,), where) for sender in senders]
        every = [
            PathPatch(sender, frozenset(every_receiver(sender, N_LAYERS, N_HEADS)), where)
            for sender in senders
        ]
        nothing = [PathPatch(sender, frozenset(), where) for sender in senders]
        recorded, _, rows = record_and_patch(model, base, source, 9, [*total, *every, *nothing])
        totals, paths, none = model.logits(rows).split(len(senders))
        assert (paths - totals).abs().max() <= EXACT
        assert (none - model.logits(recorded.final.hidden)).abs().max() <= 1e-5
        assert (totals - none).abs().amax((1, 2)).max() > 1e-2


def test_knock_outs(model):
    base, source = token_ids(3)
    heads = tuple(Head(layer, head) for layer in range(N_LAYERS) for head in range(N_HEADS))
    cuts = [
        KnockOut((Head(1, 2),), at(base, 13), at(base, 0, 3)),
        KnockOut((Head(2, 0), Head(0, 3)), at(base, 11, 13), at(base, 10, 11)),
        KnockOut(heads, at(base, 13), at(base, 12)),
    ]
    worst, effects = differences(model, base, source, cuts, 9)
    assert worst <= EXACT
    assert effects[2] > 1e-3


EVERY_HEAD = nodes_of("heads", N_LAYERS, N_HEADS)
CHANGED = st.sets(st.integers(9, 13), min_size=1)
INTERVENTIONS = st.one_of(
    st.tuples(st.just("nodes"), CHANGED, st.sets(st.sampled_from(NODES), min_size=1, max_size=5)),
    st.tuples(st.just("path"), CHANGED, st.sampled_from(all_nodes(N_LAYERS, N_HEADS)), st.integers(1, 9)),
    st.tuples(
        st.just("knock-out"),
        CHANGED,
        st.sets(st.sampled_from(EVERY_HEAD), min_size=1),
        st.sets(st.integers(1, 8)),
    ),
)


def made(base, kind, changed, *details):
    """An intervention as drawn: nodes; a sender and every n-th of its receivers; heads and cut positions."""
    match kind, details:
        case "nodes", (nodes,):
            return Patch(tuple(nodes), at(base, *changed))
        case "path", (sender, every_nth):
            receivers = every_receiver(sender, N_LAYERS, N_HEADS)[every_nth % 3 :: every_nth]
            return PathPatch(sender, frozenset(receivers), at(base, *changed))
        case "knock-out", (heads, cut):
            return KnockOut(tuple(heads), at(base, *changed), at(base, *cut))


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    family=st.sampled_from(sorted(FAMILIES)),
    seed=st.integers(0, 3),
    drawn=st.lists(INTERVENTIONS, min_size=1, max_size=6),
    budget=st.sampled_from([1, 200_000, 2**26]),
)
def test_any_intervention_in_any_family(family, seed, drawn, budget):
    """Random networks and prompts, sets of nodes, and memory for one row or for all of them at once."""
    model = replace(LanguageModel.wrap(tiny_network(family, seed)), memory_budget=budget)
    base, source = token_ids(seed)
    worst, _ = differences(model, base, source, [made(base, *recipe) for recipe in drawn], 9)
    assert worst <= EXACT


def test_everything_patched_gives_the_source_run(model):
    """All heads, MLPs and the embedding at the final position: the source's logits, whatever comes before."""
    base, source = token_ids(4)
    source[:, -1] = (source[:, -1] + 1) % VOCABULARY
    everything = Patch((Residual(0), *all_nodes(N_LAYERS, N_HEADS)), at(base, 13))
    recorded, values, rows = record_and_patch(model, base, source, 9, [everything])
    assert (model.logits(rows[0]) - model.logits(values.hidden)).abs().max() <= EXACT
    assert (model.logits(recorded.final.hidden) - model.logits(values.hidden)).abs().max() > 0.1


@pytest.mark.parametrize("layer", range(N_LAYERS))
def test_a_whole_residual_stream_gives_the_source_run(model, layer):
    """One layer boundary at every differing position cuts all paths."""
    base, source = token_ids(5)
    _, values, rows = record_and_patch(
        model, base, source, 9, [Patch((Residual(layer),), at(base, *range(9, 14)))]
    )
    assert (model.logits(rows[0]) - model.logits(values.hidden)).abs().max() <= EXACT


def test_a_node_patched_with_itself_changes_nothing(model):
    base, _ = token_ids(6)
    patches = [Patch((node,), where) for node in NODES for where in position_modes(base, 9)]
    recorded, _, rows = record_and_patch(model, base, base, 9, patches)
    assert (model.logits(rows) - model.logits(recorded.final.hidden)).abs().max() <= 1e-5


def test_siblings_of_a_patched_key_keep_theirs(tiny_model):
    """Under grouped-query attention heads share a key; a patch of one head's key leaves the others alone."""
    model = tiny_model("llama")
    base, source = token_ids(7)
    patches = [Patch((kind(1, 0),), at(base, *range(9, 14))) for kind in (Query, Key, Value)]
    recorded, values = record_pair(model, base, source, 9)
    finals = patched_finals(model, recorded, values, patches)
    z = finals.z.unflatten(1, (3, 2))
    assert (z[1, :, :, 1] - recorded.final.z[1, None, :, 1]).abs().max() <= 1e-5
    assert (z[1, :, :, 0] - recorded.final.z[1, None, :, 0]).abs().amax((1, 2)).min() > 1e-4


def test_everything_of_a_patched_world_at_its_final_position(model):
    base, source = token_ids(8)
    patches = [Patch((node,), where) for node in NODES[::9] for where in position_modes(base, 9)[::3]]
    ours = patched_finals(model, *record_pair(model, base, source, 9), patches)
    theirs = naive.patched_finals(model, base, naive.record_plainly(model, source, 5), patches)
    for name in ("resid_pre", "z", "mlp_writes", "resid_final", "hidden"):
        assert (getattr(ours, name) - getattr(theirs, name)).abs().max() <= 2e-4, name


def test_base_and_source_in_one_pass_are_the_two_runs(model):
    base, source = token_ids(9)
    recorded, values = record_pair(model, base, source, 7)
    for ours, ids in ((recorded.suffix, base), (values, source)):
        theirs = naive.record_plainly(model, ids, 7)
        for name in ("resid_pre", "query", "keys", "values", "z", "mlp_writes", "hidden"):
            assert (getattr(ours, name) - getattr(theirs, name)).abs().max() <= EXACT, name


def test_a_source_of_another_length_is_matched_at_the_end(model):
    base, source = token_ids(10)[0], token_ids(11, n_tokens=17)[1]
    recorded, values = record_pair(model, base, source)
    patches = [Patch((node,), at(base, 13)) for node in all_nodes(N_LAYERS, N_HEADS)]
    expected = naive.patched_logits(model, base, naive.record_plainly(model, source, 1), patches)
    assert (model.logits(patched_hidden(model, recorded, values, patches)) - expected).abs().max() <= EXACT


def test_a_few_nodes_cost_a_few_rows(tiny_model):
    """Rows start at their layer, hold only what may change, and no layer below the first of them runs."""
    model = tiny_model("llama")
    base, source = token_ids(12)
    runs = record_pair(model, base, source, 9)
    late = [Patch((Head(2, 1),), at(base, 13)), Patch((Mlp(3),), at(base, 13))]
    widths = []
    mlps = [(layer.mlp.up_proj, lambda x: widths.append(x.shape[1])) for layer in model.parts.layers]
    with hooked(inputs=mlps):
        patched_hidden(model, *runs, late)
    assert widths == [1, 2]
    widths.clear()
    with hooked(inputs=mlps):
        patched_hidden(model, *runs, [Patch((Head(1, 1),), at(base, 10))])
    assert widths == [4, 4, 1]  # the last layer's MLP only where the answer is


def test_a_pair_and_its_patches_are_one_pass(tiny_model):
    """Base 14 tokens, source the 5 that may differ, then the rows as they join."""
    model = tiny_model("llama")
    base, source = token_ids(13)
    widths = []
    mlps = [(layer.mlp.up_proj, lambda x: widths.append(x.shape[1])) for layer in model.parts.layers]
    patches = [Patch((node,), at(base, 13)) for node in all_nodes(N_LAYERS, N_HEADS)]
    with hooked(inputs=mlps):
        record_and_patch(model, base, source, 13, patches)
    assert widths == [14 + 5 + 5, 14 + 5 + 10, 14 + 5 + 15, 1 + 1 + 20]


def test_the_memory_budget_is_kept(tiny_model):
    """Rows go up in as many passes as the budget asks for, and the numbers stay."""
    model = tiny_model("qwen3")
    base, source = token_ids(14)
    patches = [Patch((node,), where) for node in NODES for where in position_modes(base, 9)]
    runs = record_pair(model, base, source, 9)
    widths = []
    row_bytes = bytes_per_position(model, 14) * 2
    small = replace(model, memory_budget=20 * row_bytes)
    with hooked(inputs=[(mlp, lambda x: widths.append(x.shape[1])) for mlp in model.parts.mlps]):
        few = patched_hidden(small, *runs, patches)
    assert 15 < max(widths) <= 20
    assert torch.allclose(few, patched_hidden(model, *runs, patches), atol=1e-5)


def test_afterwards_every_layer_runs_again(tiny_model):
    model = tiny_model("llama")
    base, source = token_ids(15)
    recorded, values = record_pair(model, base, source)
    before = naive.plain_logits(model, base)
    late = [Patch((Mlp(3),), at(base, 13))]
    patched_hidden(model, recorded, values, late)
    with pytest.raises(IndexError):
        patched_hidden(model, replace(recorded, masks=()), values, late)
    assert torch.equal(naive.plain_logits(model, base), before)
    assert not any("forward" in vars(layer) for layer in model.parts.layers)
    assert not any(layer._forward_pre_hooks for layer in model.parts.layers)


def test_a_position_that_was_not_kept_is_refused(tiny_model):
    model = tiny_model("llama")
    base, source = token_ids(16)
    with pytest.raises(MisalignedPrompts, match="Position 10"):
        record_and_patch(model, base, source, 12, [Patch((Mlp(0),), at(base, 10))])


# An engine broken on purpose must fail the same comparison.


@pytest.fixture(scope="module")
def expected():
    """What plain hooks give in each model, computed once."""
    known = {}

    def get(model, base, source, interventions):
        if id(model) not in known:
            plain = naive.record_plainly(model, source, 5)
            known[id(model)] = naive.patched_logits(model, base, plain, interventions)
        return known[id(model)]

    return get


@pytest.fixture
def broken(expected):
    """The largest difference from plain hooks once something recorded has been damaged."""

    def measure(model, damage=lambda recorded, values: (recorded, values)):
        base, source = token_ids(0)
        recorded, values = damage(*record_pair(model, base, source, 9))
        patches = [Patch((node,), where) for node in SOME[::2] for where in position_modes(base, 9)[::3]]
        receivers = frozenset([Query(2, 1), Key(2, 2), Mlp(1)])
        patches.append(PathPatch(Head(0, 1), receivers, at(base, *range(9, 14))))
        right = expected(model, base, source, patches)
        return float((model.logits(patched_hidden(model, recorded, values, patches)) - right).abs().max())

    return measure


def test_the_comparison_passes_where_nothing_is_broken(model, broken):
    assert broken(model) <= EXACT


def test_one_stale_key_is_noticed(model, broken):
    def stale(recorded, values):
        keys = recorded.keys.clone()
        keys[1, :, 0, 8] = recorded.keys[1, :, 0, 7]
        return replace(recorded, keys=keys), values

    assert broken(model, stale) > EXACT


def test_a_missing_sliding_window_is_noticed(tiny_model, broken):
    def unmasked(recorded, values):
        causal = torch.full((14, 14), -torch.inf).triu(1)[None, None]
        return replace(recorded, masks=(causal,) * N_LAYERS), values

    assert broken(tiny_model("mistral"), unmasked) > EXACT
    assert broken(tiny_model("llama"), unmasked) <= EXACT


def test_a_skipped_mlp_is_noticed(model, monkeypatch, broken):
    """No row takes an MLP's write, and no receiver reads through one."""
    monkeypatch.setattr("analysis.sweep.Sweep.patch_mlp", lambda self, layer: lambda written: None)
    assert broken(model) > EXACT


@pytest.mark.parametrize("family", ["llama", "gemma3_text", "gpt_neox"])
def test_a_position_off_by_one_is_noticed(family, tiny_model, monkeypatch, broken):
    """Where positions are rotations. Learned ones are part of the embedding, which rows take as recorded."""
    from analysis.rows import Rows

    right = Rows.positions.fget
    monkeypatch.setattr(Rows, "positions", property(lambda self: right(self) - 1))
    assert broken(tiny_model(family)) > EXACT


def test_a_source_run_that_sees_its_own_first_tokens_only_is_noticed(model, monkeypatch, broken):
    """The source's positions must see what base and source share."""
    from analysis.recording import Recorder

    def forgetful(self, call):
        return Recorder.__dict__["_right"](self, replace(call, key=call.key.roll(1, dims=2)))

    monkeypatch.setattr(Recorder, "_right", Recorder._attend_in_source, raising=False)
    monkeypatch.setattr(Recorder, "_attend_in_source", forgetful)
    assert broken(model) > EXACT


def test_a_recorded_run_is_the_models(model):
    base, _ = token_ids(17)
    hidden = record(model, base).final.hidden
    assert (model.logits(hidden) - naive.plain_logits(model, base)).abs().max() <= EXACT
