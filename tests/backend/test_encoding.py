"""Tensors to bytes and back; no number that is not one."""

import json

import pytest


def test_values_and_their_cost_come_back_as_they_went() -> None:
    import torch

    from backend.encoding import pack, unpack

    values = {"logits": torch.tensor([[1.5, -0.1]]), "correct": torch.tensor(3)}
    back, cost = unpack(pack(values, {"forward_passes": 3, "seconds": 0.25}))
    assert cost == {"forward_passes": 3, "seconds": 0.25}
    assert set(back) == set(values)
    assert all(torch.equal(back[name], values[name]) for name in values)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_null_with_its_place_and_reason(value: float) -> None:
    import torch

    from analysis.analyses.base import Summary, Table
    from backend.encoding import encode_result, encode_summary

    table = Table(("node", "answer"), "logit", torch.tensor([[0.5, value], [1.0, 2.0]]))
    coordinates = {"node": [{"label": "L0H0"}, {"label": "MLP0"}], "answer": ["A", "B"]}
    body = encode_summary(Summary(coordinates, {"patched": table}))
    assert body["tables"]["patched"]["mean"] == [[0.5, None], [1.0, 2.0]]
    (failure,) = body["failures"]
    assert (failure["table"], failure["where"]) == ("patched", "L0H0 B")
    assert "NaN" not in encode_result(body).decode()


def test_numbers_keep_every_bit_of_their_float32() -> None:
    import torch

    from analysis.analyses.base import Summary, Table
    from backend.encoding import encode_summary

    values = torch.rand(50, generator=torch.Generator().manual_seed(0))
    body = encode_summary(Summary({}, {"t": Table(("node",), "logit", values.view(5, 10).T.reshape(-1))}))
    again = torch.tensor(json.loads(json.dumps(body["tables"]["t"]["mean"])))
    assert torch.equal(again, values.view(5, 10).T.reshape(-1))
    lone = encode_summary(Summary({}, {"t": Table((), "logit", torch.tensor(0.25))}))
    assert lone["tables"]["t"]["mean"] == 0.25
