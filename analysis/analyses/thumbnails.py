"""Small pictures of the patterns of all heads on one prompt, to find the one worth opening."""

from base64 import b64encode
from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from analysis.analyses.base import Analysis, NoParameters, Summary, Table, Values, prompt_warnings
from analysis.errors import BadQuestion
from analysis.model import LanguageModel
from analysis.patterns import see_patterns, shrunk
from analysis.prompts import PromptPair

SIZE = 24  # pixels on a side, fewer for shorter prompts
SCALE = 255


class Thumbnails(Analysis):
    """Every head's pattern as a square of at most 24 x 24 bytes.

    A pixel stands for neighbouring query tokens (its row) and key tokens (its column): it is 255 times the
    square root of the largest attention among them, so that a share of 0.004 is still seen. `pixels` leaves
    out the first token as a key, on which most heads rest; `first_key` is what that token alone would show
    in the first column, row by row, and the table `sink` is the mean attention on it. The picture with the
    first token has the larger of the two in its first column. Both are base64 of bytes in the order
    layer, head, row (, column).
    """

    name: ClassVar[str] = "thumbnails"
    title: ClassVar[str] = "Attention patterns of all heads on one prompt, as small pictures"
    one_pair: ClassVar[bool] = True

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: NoParameters) -> None:
        """Pictures of different prompts cannot be laid over each other."""
        if len(pairs) != 1:
            raise BadQuestion("A pattern belongs to one prompt: choose it with prompts.index.")

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: NoParameters) -> Values:
        """One pass; each layer is shrunk as it goes by."""
        seen: list[dict[str, Tensor]] = []
        see_patterns(model, pair.clean, lambda _layer, patterns: seen.append(picture(patterns)))
        return {name: torch.stack([of_layer[name] for of_layer in seen]) for name in seen[0]}

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: NoParameters
    ) -> Summary:
        """The bytes as text, and the attention on the first token as numbers."""
        pixels, first_key = values["pixels"][0], values["first_key"][0]
        return Summary(
            coordinates={"layer": list(range(model.n_layers)), "head": list(range(model.n_heads))},
            tables={"sink": Table(("layer", "head"), "fraction", values["sink"][0])},
            details={
                "size": pixels.shape[-1],
                "n_tokens": len(pairs[0].clean.token_ids),
                "scale": "255 * sqrt(attention)",
                "pixels": b64encode(pixels.numpy().tobytes()).decode(),
                "first_key": b64encode(first_key.numpy().tobytes()).decode(),
            },
            warnings=prompt_warnings(pairs),
        )


def picture(patterns: Float[Tensor, "head query_pos key_pos"]) -> Values:
    """One layer's pictures, with the first token as a key apart from them."""
    size = min(SIZE, patterns.shape[-1])
    first, others = patterns[:, :, :1], patterns.clone()
    others[:, :, 0] = 0
    return {
        "pixels": in_bytes(shrunk(others, size)),
        "first_key": in_bytes(shrunk(first.expand(-1, -1, size), size)[:, :, 0]),
        "sink": first[:, 1:, 0].mean(1),  # the first query can look nowhere else
    }


def in_bytes(attention: Float[Tensor, "*batch pixel"]) -> Shaped[Tensor, "*batch pixel"]:
    """Square roots as whole numbers up to 255."""
    return (SCALE * attention.clamp(0, 1).sqrt()).round().to(torch.uint8)
