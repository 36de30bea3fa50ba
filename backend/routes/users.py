"""Who asks: a name that a client gives itself, so that users take turns. No account, and no secret."""

from typing import Annotated

from fastapi import Header

User = Annotated[
    str,
    Header(
        alias="x-headscope-user",
        pattern="^[A-Za-z0-9_-]{0,64}$",
        description="Any name of one's own; users take turns. Without one, all such requests are one user.",
    ),
]
