"""Path effects: a planted model worked out by hand, and the identities of paths in every family."""

from math import log, sqrt

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from analysis.analyses.paths import Paths, PathsParameters
from analysis.errors import MisalignedPrompts, UnknownNode
from analysis.interventions import PathPatch, every_receiver
from analysis.model import LanguageModel
from analysis.nodes import LOGITS, Head, Key, Mlp, Query, Value
from analysis.pair_runs import run_pairs
from analysis.paths import PathEffects, path_interventions
from analysis.prompts import Prompt, PromptPair
from analysis.questions import Option, Question
from analysis.worlds import worlds_of
from analysis.writes import attention_output, write_changes
from tests.analysis.summaries import summary_of

EXACT = 1e-4
X_CLEAN, X_CORRUPT, T, A, B = 3, 4, 5, 6, 7
SENDERS = [Head(0, 1), Head(2, 3), Mlp(1), Mlp(2)]


def effects_of(model, runs, sender, receivers, positions=None):
    changes = path_interventions(sender, receivers, runs.final if positions is None else positions)
    return PathEffects(worlds_of(model, runs, changes))


@pytest.fixture(scope="module")
def planted():
    """Two layers of two heads, d_model 16, d_head 4, MLPs that write zeros; see the test below."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=8,
        hidden_size=16,
        intermediate_size=4,
        num_hidden_layers=2,
        num_attention_heads=2,
        head_dim=4,
        rms_norm_eps=1e-12,
        tie_word_embeddings=False,
        bos_token_id=1,
        eos_token_id=2,
    )
    network = AutoModelForCausalLM.from_config(config).float()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "norm" not in name:
                parameter.zero_()
        embedding = network.model.embed_tokens.weight
        embedding[X_CLEAN, 0], embedding[X_CORRUPT, 0], embedding[T, 1] = 4, -4, 4
        sender, reader = (layer.self_attn for layer in network.model.layers)
        sender.v_proj.weight[0, 0] = 1
        sender.o_proj.weight[2, 0] = 1.5
        reader.q_proj.weight[0, 2] = 1 / 2.4
        reader.k_proj.weight[0, 2], reader.k_proj.weight[0, 0] = 2 * log(3) / 2.4, -1.5 * 2 * log(3) / 2.4
        reader.v_proj.weight[0, 1] = 1 / 3.2
        reader.v_proj.weight[4, 2], reader.v_proj.weight[4, 0] = 1 / 2.4, -1.5 / 2.4
        reader.o_proj.weight[4, 0] = reader.o_proj.weight[4, 4] = 4
        network.lm_head.weight[A, 4], network.lm_head.weight[A, 2] = 1, 1 / 3
    return LanguageModel.wrap(network)


@pytest.fixture(scope="module")
def planted_pair():
    def prompt(x: int, correct: int) -> Prompt:
        question = Question("?", (Option("A", "this"), Option("B", "that")), correct=correct)
        return Prompt(
            question=question,
            text="",
            token_ids=(x, T),
            token_texts=("x", "T"),
            roles=(("question",), ("suffix",)),
            label_ids=(A, B),
            label_positions=(0, 1),
        )

    return PromptPair(prompt(X_CLEAN, 0), prompt(X_CORRUPT, 1))


def by_hand(o: float, s: int) -> float:
    """logit A − logit B of the planted model: 4 (o + s) / √(25 + o²)."""
    return 4 * (o + s) / sqrt(25 + o**2)


def test_planted_model(planted, planted_pair):
    """The prompt is [x, T]; x = ±4 e0 (+ clean, − corrupt), T = 4 e1; RMSNorm of 4 e is 4 e as √(16/16) = 1.

    Sender L0H0, at T: uniform attention (q = k = 0), v(x) = ±4 and v(T) = 0, so z = ±2; it writes 1.5 z e2.
        Residual at T: 4 e1 + 3s e2 with s = ±1; its rms is √(25/16) = 5/4, so layer 1 reads 3.2 e1 + 2.4s e2.
        x itself holds ±4 e0 ± 6 e2; keys and values of layer 1 read e2 − 1.5 e0, which is 0 there.
    L1H0, at T: q = s_q, k(T) = 2 ln 3 s_k, k(x) = 0, scaling 1/√4: scores ln 3 · s_q s_k and 0.
        Its pattern on T is 3/4 if s_q = s_k, else 1/4; v(T) = 3.2/3.2 = 1, so z = 3/4 or 1/4.
    L1H1, at T: uniform, v(T) = s_v, v(x) = 0, so z = s_v/2.
        Both write 4 z e4: together o = 4 (3/4 or 1/4) + 2 s_v.
    Logits: the residual at T is 4 e1 + 3 s_l e2 + o e4, its rms √(25 + o²)/4; W_U reads e4 + e2/3 for A
        and nothing for B: logit A − logit B = (o + s_l) / rms = 4 (o + s_l) / √(25 + o²).

    Clean, all s = +1: o = 5, 4 · 6/√50.       Query alone, or key alone: o = 1 + 2 = 3, 4 · 4/√34.
    Both of them: the signs cancel, no effect.  Value alone: o = 3 − 2 = 1, 4 · 2/√26.
    Logits alone: s_l = −1, o = 5, 4 · 4/√50.   All: s_q = s_k, o = 3 − 2 = 1, s_l = −1, so 0.
    The MLPs write nothing whatever they read.
    """
    runs = run_pairs(planted, [planted_pair])
    sender, metric = Head(0, 0), "logit_difference"
    clean = by_hand(5, 1)
    expected = {
        Query(1, 0): by_hand(3, 1) - clean,
        Key(1, 0): by_hand(3, 1) - clean,
        Value(1, 1): by_hand(1, 1) - clean,
        LOGITS: by_hand(5, -1) - clean,
        Value(1, 0): 0,
        Query(1, 1): 0,
        Key(1, 1): 0,
        Mlp(0): 0,
        Mlp(1): 0,
    }
    effects = effects_of(planted, runs, sender, list(expected))
    assert float(effects.worlds.metric(metric)[0, 0]) == pytest.approx(clean, abs=1e-5)
    assert effects.path_effect(metric)[0].tolist() == pytest.approx(list(expected.values()), abs=1e-5)
    assert float(effects.all_paths(metric)) == pytest.approx(by_hand(1, -1) - clean, abs=1e-5)
    assert float(effects.total_effect(metric)) == pytest.approx(by_hand(1, -1) - clean, abs=1e-5)
    together = effects_of(planted, runs, sender, [Query(1, 0), Key(1, 0)])
    assert float(together.all_paths(metric)) == pytest.approx(0, abs=1e-5)
    with_value = effects_of(planted, runs, sender, [Query(1, 0), Value(1, 1)])
    assert float(with_value.all_paths(metric)) == pytest.approx(by_hand(1 - 2, 1) - clean, abs=1e-5)


@pytest.mark.parametrize("window", ["final", "all"])
def test_all_paths_are_the_total_effect(window, model, pairs):
    """Whatever reads the sender reads the source's value: nothing is left that could differ from a patch."""
    runs = run_pairs(model, pairs, window=window)
    positions = runs.final if window == "final" else runs.everywhere
    changes = []
    for sender in SENDERS:
        receivers = every_receiver(sender, model.n_layers, model.n_heads)
        changes += path_interventions(sender, receivers, positions)[-2:]
    logits = worlds_of(model, runs, changes).logits
    paths, total = logits[:, 2::2], logits[:, 3::2]
    assert (total - logits[:, :1]).abs().amax((0, 2)).min() > 1e-2
    assert (paths - total).abs().max() <= EXACT


def test_no_path_is_nothing(model, pairs):
    runs = run_pairs(model, pairs)
    none = [PathPatch(sender, frozenset(), runs.final) for sender in SENDERS]
    logits = worlds_of(model, runs, none).logits
    assert (logits[:, 2:] - logits[:, :1]).abs().max() <= 1e-5


@torch.inference_mode()
def test_the_path_to_the_logits_is_the_direct_effect(model, pairs):
    """The base run's final residual stream with one write replaced, through the model's own final norm."""
    runs = run_pairs(model, pairs)
    resid = runs.base.resid_final + write_changes(model, runs.base, runs.source, SENDERS)
    expected = model.answer_logits(model.parts.final_norm(resid), runs.answer_ids).transpose(0, 1)
    changes = [PathPatch(sender, frozenset([LOGITS]), runs.final) for sender in SENDERS]
    found = worlds_of(model, runs, changes).logits
    assert (expected - found[:, :1]).abs().amax((0, 2)).min() > 1e-2
    assert (found[:, 2:] - expected).abs().max() <= EXACT


@pytest.mark.parametrize("family", ["gpt_neox", "phi"])
def test_a_parallel_mlp_reads_nothing_of_its_own_layers_heads(family, tiny_model, pairs):
    model = tiny_model(family)
    effects = effects_of(model, run_pairs(model, pairs), Head(1, 0), [Mlp(1), Mlp(2)])
    change = effects.path_effect("centred_logit")
    assert change[:, 0].abs().max() <= 1e-6
    assert change[:, 1].abs().max() > 1e-3


@torch.inference_mode()
def test_one_path_in_closed_form(tiny_model, pairs):
    """Head, last MLP, logits: only that MLP reads the head's change, so only its write changes."""
    model, sender = tiny_model("llama"), Head(3, 1)
    runs = run_pairs(model, pairs)
    layer, change = model.network.model.layers[3], write_changes(model, runs.base, runs.source, [sender])[0]
    resid_mid = runs.base.resid_pre[3] + attention_output(model, runs.base, 3)
    write = layer.mlp(layer.post_attention_layernorm(resid_mid + change))
    resid_final = runs.base.resid_final - runs.base.mlp_writes[3] + write
    expected = model.answer_logits(model.parts.final_norm(resid_final), runs.answer_ids)
    found = worlds_of(model, runs, [PathPatch(sender, frozenset([Mlp(3)]), runs.final)]).logits
    assert (found[:, 2] - found[:, 0]).abs().max() > 1e-3
    assert (found[:, 2] - expected).abs().max() <= EXACT


@pytest.mark.parametrize("positions", ["final", "all"])
@pytest.mark.parametrize("metric", ["centred_logit", "loss"])
def test_analysis(positions, metric, tiny_model, pairs):
    """All receivers in the order of the computation, each with its effect; together the total effect."""
    model = tiny_model("qwen2")
    summary = summary_of(Paths(), model, pairs, PathsParameters("L2H1", positions=positions, metric=metric))
    receivers = summary.coordinates["receiver"]
    assert [receiver["label"] for receiver in receivers[:4]] == ["MLP2", "L3H0.q", "L3H0.k", "L3H0.v"]
    assert receivers[1] == {"label": "L3H0.q", "layer": 3, "head": 0, "input": "q"}
    assert receivers[-1] == {"label": "logits", "layer": None, "head": None, "input": "logits"}
    tables = summary.tables
    assert tables["path_effect"].mean.shape == (len(receivers),) == (1 + 4 * 3 + 1 + 1,)
    assert float(tables["all_paths"].mean) == pytest.approx(float(tables["total_effect"].mean), abs=EXACT)
    assert tables["path_effect"].unit == ("nat" if metric == "loss" else "logit")


def test_some_receivers_are_entries_of_all(tiny_model, pairs):
    model = tiny_model("llama")
    every = summary_of(Paths(), model, pairs, PathsParameters("L1H0"))
    labels = [receiver["label"] for receiver in every.coordinates["receiver"]]
    some = summary_of(Paths(), model, pairs, PathsParameters("L1H0", receivers=("logits", "L3H2.k", "MLP2")))
    columns = [labels.index(label) for label in ("logits", "L3H2.k", "MLP2")]
    expected = every.tables["path_effect"].mean[columns]
    assert torch.allclose(some.tables["path_effect"].mean, expected, atol=1e-5)
    assert abs(float(some.tables["all_paths"].mean) - float(some.tables["total_effect"].mean)) > 1e-3


def test_what_is_refused(tiny_model, pairs, uneven_pairs):
    model, check = tiny_model("llama"), Paths().check
    for parameters, words in (
        (PathsParameters("L2H1", receivers=("L1H0.q",)), "No path"),
        (PathsParameters("L2H1", receivers=("L2H0.q",)), "No path"),
        (PathsParameters("MLP2", receivers=("MLP2",)), "No path"),
        (PathsParameters("L2H1", receivers=("L3H0",)), "cannot receive"),
        (PathsParameters("L2H1", receivers=()), "at least one"),
        (PathsParameters("RESID1"), "no head and no MLP"),
    ):
        with pytest.raises(UnknownNode, match=words):
            check(model, pairs, parameters)
    with pytest.raises(MisalignedPrompts):
        Paths().compute(model, uneven_pairs[0], PathsParameters("L2H1", positions="all"))
