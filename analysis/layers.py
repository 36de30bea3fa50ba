"""One tensor per layer, as far as a pass has come.

All of them lie in one block of memory, made with the first. What each layer kept by itself would lie in the
midst of the room that the layer has used and given back; the next one, which has more rows, could not use
that room as a whole, and a pass would take twice the memory.
"""

from jaxtyping import Float
from torch import Tensor


class Layers:
    """Grows by one layer at a time; every layer has the same shape."""

    def __init__(self, n_layers: int) -> None:
        self._n_layers = n_layers
        self._n_kept = 0
        self._block: Tensor | None = None

    def append(self, values: Float[Tensor, "..."]) -> None:
        """The next layer's; they are copied."""
        if self._block is None:
            self._block = values.new_empty(self._n_layers, *values.shape)
        self._block[self._n_kept] = values
        self._n_kept += 1

    def __getitem__(self, layer: int) -> Float[Tensor, "..."]:
        if self._block is None or not 0 <= layer < self._n_kept:
            raise IndexError(f"Layer {layer} has not been reached: {self._n_kept} are kept.")
        return self._block[layer]

    def whole(self) -> Float[Tensor, "layer ..."]:
        """All layers, once the pass has ended."""
        if self._block is None or self._n_kept < self._n_layers:
            raise IndexError(f"The pass has not ended: {self._n_kept} of {self._n_layers} layers are kept.")
        return self._block
