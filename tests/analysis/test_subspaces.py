"""Subspaces of vectors (F26): shares sum to 1, planted dimensions are found, ranks go from mean to all."""

import pytest
import torch

from analysis.subspaces import fit


def planted(n_prompts=40, n_options=4, d_head=16, rank=3, noise=0.001):
    """Vectors around a mean that vary in three dimensions."""
    draw = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(d_head, d_head, generator=draw))[0][:, :rank].T
    coordinates = (
        torch.randn(n_prompts, n_options, rank, generator=draw) * torch.tensor([3.0, 2.0, 1.0])[:rank]
    )
    mean = 5 * torch.randn(d_head, generator=draw)
    return mean + coordinates @ basis + noise * torch.randn(
        n_prompts, n_options, d_head, generator=draw
    ), basis


@pytest.mark.parametrize("centring", ["global", "prompt"])
def test_planted_dimensions_are_found(centring):
    vectors, basis = planted()
    found = fit(vectors, centring)
    assert found.explained[2] >= 0.999 > found.explained[1]
    assert float(found.explained[-1]) == pytest.approx(1, abs=1e-6)
    assert (found.projector(3) - basis.T @ basis).abs().max() <= 1e-2
    assert (found.basis @ found.basis.T - torch.eye(16)).abs().max() <= 1e-5


def test_without_centring_the_mean_is_the_strongest_dimension():
    vectors, _ = planted()
    found = fit(vectors, "none")
    mean = vectors.mean((0, 1))
    assert not found.mean.any()
    assert float((found.basis[0] @ mean).abs() / mean.norm()) > 0.9


@pytest.mark.parametrize("centring", ["none", "global", "prompt"])
def test_ranks_go_from_the_mean_to_everything(centring):
    vectors, _ = planted(noise=0.5)
    found = fit(vectors[:30], centring)
    new = vectors[30:]
    expected = {
        "none": torch.zeros_like(new),
        "global": vectors[:30].mean((0, 1)).expand_as(new),
        "prompt": new.mean(1, keepdim=True).expand_as(new),
    }[centring]
    assert (found.project(new, 0) - expected).abs().max() <= 1e-5
    assert (found.project(new, 16) - new).abs().max() <= 1e-5
    error = [(found.project(new, rank) - new).norm() for rank in range(17)]
    assert error == sorted(error, reverse=True)
    assert found.coordinates(new).shape == (10, 4, 3)


def test_projecting_twice_is_projecting_once():
    vectors, _ = planted(noise=0.5)
    found = fit(vectors, "global")
    once = found.project(vectors, 5)
    assert (found.project(once, 5) - once).abs().max() <= 1e-4


def test_squares_of_the_singular_values_are_those_of_the_coordinates():
    vectors, _ = planted(noise=0.5)
    found = fit(vectors, "prompt")
    squares = found.coordinates(vectors, rank=16).square().sum((0, 1))
    assert torch.allclose(squares, found.singular_values.square(), rtol=1e-3)


def test_fewer_vectors_than_dimensions():
    """The basis is whole all the same; what no vector reaches has no share."""
    vectors, _ = planted()
    found = fit(vectors[:5, 0], "prompt")  # queries: one per prompt, so one mean for all
    assert found.centring == "global"
    assert found.basis.shape == (16, 16)
    assert found.explained[4] == 1
    assert (found.project(vectors, 16) - vectors).abs().max() <= 1e-5


def test_random_and_bottom():
    vectors, _ = planted()
    found = fit(vectors, "global")
    first, second = (found.random(torch.Generator().manual_seed(seed)) for seed in (1, 2))
    assert (first.basis @ first.basis.T - torch.eye(16)).abs().max() <= 1e-5
    assert (first.basis - second.basis).abs().max() > 0.1
    assert torch.equal(first.basis, found.random(torch.Generator().manual_seed(1)).basis)
    assert torch.equal(first.mean, found.mean)
    assert torch.equal(found.bottom().basis[0], found.basis[-1])


def test_random_subspaces_are_drawn_evenly():
    """The share of any direction that r of d dimensions keep is r / d on average."""
    found = fit(planted()[0], "global")
    draw = torch.Generator().manual_seed(0)
    kept = torch.stack([found.random(draw).projector(4).diagonal() for _ in range(300)])
    assert (kept.mean(0) - 4 / 16).abs().max() <= 0.04
