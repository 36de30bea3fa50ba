"""Values of all layers in one block of memory."""

import pytest
import torch

from analysis.layers import Layers


def test_layers_are_kept_in_order_and_in_one_block() -> None:
    values = torch.randn(3, 2, 5)
    layers = Layers(3)
    for layer in values:
        layers.append(layer)
    assert torch.equal(layers.whole(), values)
    assert torch.equal(layers[1], values[1])
    assert layers[1].untyped_storage().data_ptr() == layers.whole().untyped_storage().data_ptr()


def test_what_is_kept_does_not_change_with_what_it_was_taken_from() -> None:
    layers, values = Layers(1), torch.zeros(2)
    layers.append(values)
    values += 1
    assert layers[0].tolist() == [0, 0]


def test_a_layer_that_was_not_reached_has_no_values() -> None:
    layers = Layers(2)
    layers.append(torch.zeros(2))
    with pytest.raises(IndexError, match="Layer 1 has not been reached: 1 are kept"):
        layers[1]
    with pytest.raises(IndexError, match="The pass has not ended: 1 of 2"):
        layers.whole()
