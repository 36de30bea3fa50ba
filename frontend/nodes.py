"""What can be patched, as the page names it: read from labels and from what people type."""

import re
from dataclasses import dataclass

OF_A_LAYER = {"": "MLP", "attn": "ATTN", "resid": "RESID"}
NODE = re.compile(
    r"\s*(?:l?\s*(\d{1,4})\s*[h.]\s*(\d{1,4})(?:\.([qkv]))?|(mlp|attn|resid)\s*(\d{1,4}))\s*", re.IGNORECASE
)


@dataclass(frozen=True, order=True)
class Node:
    """A head `L23H2` or its query `L23H2.q`; with `head=None` an MLP `MLP24`, a layer's whole attention
    `ATTN24` or the residual stream before a layer `RESID24`."""

    layer: int
    head: int | None = None
    part: str = ""

    def __str__(self) -> str:
        if self.head is None:
            return f"{OF_A_LAYER[self.part]}{self.layer}"
        return f"L{self.layer}H{self.head}" + (f".{self.part}" if self.part else "")

    @classmethod
    def read(cls, text: str) -> "Node":
        """The node that a person typed; `ValueError` when it is none."""
        found = NODE.fullmatch(text)
        if not found:
            raise ValueError(text)
        layer, head, part, kind, of_layer = found.groups()
        if head is not None:
            return cls(int(layer), int(head), (part or "").lower())
        part = next(part for part, name in OF_A_LAYER.items() if name == kind.upper())
        return cls(int(of_layer), None, part)

    @property
    def owner(self) -> "Node | None":
        """The head or MLP whose page tells of this node; None for what belongs to a whole layer."""
        if self.head is None:
            return None if self.part else self
        return Node(self.layer, self.head)
