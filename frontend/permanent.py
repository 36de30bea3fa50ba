"""What the address says of a stored figure: its key, whether it stands in another page, its colours."""

import re
from collections.abc import Mapping

from frontend.fields import Field, choice, whole

KEY = re.compile(r"[0-9a-f]{64}")
FIGURE_PATH = re.compile(r"/f/([0-9a-f]{64})/?")


def _key(text: str) -> str:
    if not KEY.fullmatch(text):
        raise ValueError(text)
    return text


FIELDS: Mapping[str, Field] = {
    "figure": Field(_key, "the key of a result, 64 characters from 0 to f"),
    "embed": whole(0, 1),
    "theme": choice("light", "dark"),
}
