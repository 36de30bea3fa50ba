"""Everything that a running server holds, made once and handed to the routes."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from backend.engines.base import Engine
from backend.models import Models
from backend.services.prompt_sets import PromptSets
from backend.services.renderings import Renderings
from backend.services.results import Results
from backend.settings import Settings
from cache.store import Store


@dataclass(frozen=True)
class ServerState:
    """The parts of one server."""

    settings: Settings
    store: Store
    models: Models
    prompt_sets: PromptSets
    engine: Engine
    results: Results
    renderings: Renderings


def _of(request: Request) -> ServerState:
    return request.app.state.headscope


State = Annotated[ServerState, Depends(_of)]
