"""The API: its parts, its routes, and what happens at start and stop."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from backend import __version__
from backend.catalogue import read_sources
from backend.engines.local import LocalEngine
from backend.errors import install_error_handlers
from backend.models import Models
from backend.routes import analyses, estimates, health, jobs, models, prompt_sets, prompts, renderings
from backend.routes import results as results_route
from backend.services.estimates import Estimates
from backend.services.prompt_sets import PromptSets
from backend.services.renderings import Renderings
from backend.services.results import Results
from backend.services.state import ServerState
from backend.settings import Settings
from cache import open_store

log = logging.getLogger(__name__)


def create_state(settings: Settings) -> ServerState:
    """Open the store and put the parts together; loads no model."""
    settings.data.mkdir(parents=True, exist_ok=True)
    store = open_store(settings.redis_url or settings.data / "store", cap_bytes=settings.store_cap_bytes)
    loaded = Models(read_sources(settings.data), settings, store)
    sets = PromptSets(store)
    engine = LocalEngine(store, load_model=lambda model_id: loaded.host(model_id).load())
    estimates = Estimates(store, settings)
    results = Results(loaded, sets, store, engine, estimates=estimates)
    return ServerState(settings, store, loaded, sets, engine, results, Renderings(store))


def create_api(state: ServerState) -> FastAPI:
    """The FastAPI application; the page may be mounted on it afterwards."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if state.settings.warm:
            state.models.warm()
        state.engine.resume(state.results.make_work)
        yield
        await asyncio.to_thread(state.renderings.close)
        await asyncio.to_thread(state.engine.shutdown, grace_s=10)
        state.store.close()

    app = FastAPI(
        title="headscope",
        version=__version__,
        description="Attention patterns, logit attributions and patching effects of language models.",
        lifespan=lifespan,
        docs_url=None,  # its page would load scripts from outside
        redoc_url=None,
        openapi_url="/api/openapi.json",
        telemetry={"tracing": False},
    )
    app.state.headscope = state
    install_error_handlers(app)
    for module in (
        results_route,
        renderings,
        estimates,
        jobs,
        models,
        analyses,
        prompt_sets,
        prompts,
        health,
    ):
        app.include_router(module.router)
    return app
