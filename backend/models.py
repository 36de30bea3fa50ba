"""The loaded models: one at a time into memory, its certificate measured, its state told while it loads."""

import contextlib
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

import torch
import transformers

from analysis.certificate import certify
from analysis.errors import AnalysisError
from analysis.interrupt import stop_point
from analysis.model import Certificate, LanguageModel
from analysis.precision import computing_type
from analysis.prompts import Prompt
from analysis.questions import Question
from analysis.tokenise import tokenise
from backend.catalogue import DamagedWeights, ModelSource
from backend.demo.smollm2 import MissingWeights
from backend.errors import ApiError
from backend.settings import Settings
from cache.single_flight import SingleFlight
from cache.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

_TOKENISED = 2048


class LoadedModel:
    """A certified model ready for analyses, and how much its network has run.

    Before every layer a computation that nobody waits for any more is left.
    """

    def __init__(self, language_model: LanguageModel, certificate: Certificate) -> None:
        assert language_model.tokenizer is not None, "models are loaded together with their tokenizer"
        self.language_model, self.tokenizer = language_model, language_model.tokenizer
        self.certificate = certificate
        self.tokenised = lru_cache(_TOKENISED)(self._tokenise)  # a page asks for the same prompts many times
        self.forward_passes = 0
        self.token_layers = 0  # how many tokens have gone through a layer
        language_model.network.base_model.register_forward_pre_hook(self._count)
        for layer in language_model.parts.layers:
            layer.register_forward_pre_hook(self._enter, with_kwargs=True)

    def _tokenise(self, question: Question) -> Prompt:
        return tokenise(question, self.tokenizer)

    def _count(self, *_: object) -> None:
        self.forward_passes += 1

    def _enter(self, _layer: object, given: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        stop_point()
        hidden: torch.Tensor = given[0] if given else named["hidden_states"]
        self.token_layers += hidden.shape[0] * hidden.shape[1]
        if hidden.requires_grad:
            hidden.register_hook(lambda _: stop_point())  # and on the way back

    def speed(self) -> float:
        """Seconds that a token takes in a layer, as one pass tells."""
        tokens = torch.zeros(1, 48, dtype=torch.long)
        began, before = time.perf_counter(), self.token_layers
        self.language_model.hidden(tokens)
        return (time.perf_counter() - began) / (self.token_layers - before)


class ModelFailed(AnalysisError):
    """The model could not be loaded; the message says why."""


class ModelHost:
    """One listed model: absent, loading, ready or failed."""

    def __init__(self, source: ModelSource, settings: Settings, store: Store) -> None:
        self.source, self._settings, self._store = source, settings, store
        self.state, self.message = "absent", None
        self._loaded: LoadedModel | None = None
        self._flight: SingleFlight[LoadedModel] = SingleFlight()
        self._began = 0.0

    def load(self) -> LoadedModel:
        """The loaded model; the first caller loads, the others wait. Raises `ModelFailed`."""
        return self._loaded or self._flight.run("load", self._load)

    def _load(self) -> LoadedModel:
        if self._loaded is not None:  # another flight has landed in between
            return self._loaded
        self.state, self._began = "loading", time.monotonic()
        try:
            loaded = self._read()
        except (AnalysisError, ApiError, DamagedWeights, OSError, RuntimeError, ValueError) as error:
            log.exception("model %s failed to load", self.source.id)
            self.state, self.message = "failed", f"{self.source.id} could not be loaded: {error}"
            raise ModelFailed(self.message) from error
        self._remember(loaded)
        self._loaded, self.state, self.message = loaded, "ready", None
        return loaded

    def _read(self) -> LoadedModel:
        folder = self.source.folder(self._settings.data, self._say)
        self._say("Reading the weights")
        model = LanguageModel.load(
            folder, dtype=self.dtype, device=self._settings.device, adapter=self.source.adapter
        )
        model = replace(model, memory_budget=self._settings.pass_memory_mb * 2**20)
        self._say("Measuring the engine against plain hooks")
        certificate = certify(model)
        return LoadedModel(model.with_certificate(certificate), certificate)

    def _say(self, message: str) -> None:
        self.message = message
        log.info("%s: %s", self.source.id, message)

    def _remember(self, loaded: LoadedModel) -> None:
        """Keep what the page can show before the next load has finished."""
        model = loaded.language_model
        facts = {
            "weights": self.source.weights,
            "family": model.family,
            "seconds": time.monotonic() - self._began,
            "dimensions": dimensions_of(model),
            "certificate": certificate_body(loaded.certificate),
            "speed": loaded.speed(),
        }
        try:
            self._store.put_record(f"model/{self.source.id}", facts)
        except StoreUnavailable:
            log.warning(
                "%s: the store is unavailable; the next start will not know the model", self.source.id
            )

    def identity(self) -> dict[str, str]:
        """What the numbers depend on, known without loading."""
        try:
            weights = self.source.weights
        except MissingWeights as error:
            raise ModelFailed(str(error)) from error
        return {
            "id": self.source.id,
            "weights": weights,
            "dtype": self.dtype,
            "device": torch.device(self._settings.device).type,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        }

    def body(self) -> dict[str, Any]:
        """The model as the API tells it."""
        try:
            revision, facts = self.source.weights[:12], self.facts()
        except MissingWeights as error:
            self.state, self.message = "failed", str(error)
            revision, facts = "", {}
        loading = self.state == "loading"
        return {
            "id": self.source.id,
            "title": self.source.title,
            "default": self.source.id == self._settings.default_model,
            "state": self.state,
            "message": self.message,
            "seconds_loading": time.monotonic() - self._began if loading else None,
            "seconds_last_time": facts.get("seconds"),
            "revision": revision,
            "dtype": self.dtype,
            "device": self._settings.device,
            "family": facts.get("family"),
            "dimensions": facts.get("dimensions"),
            "certificate": facts.get("certificate") if self.state == "ready" else None,
            "checkpoint": asdict(self.source.checkpoint) if self.source.checkpoint else None,
        }

    @property
    def ready(self) -> LoadedModel | None:
        """The model if it is loaded."""
        return self._loaded

    @property
    def dtype(self) -> str:
        """What the model computes in, whatever its files hold."""
        return computing_type(self.source.dtype, self._settings.device)

    @property
    def device(self) -> str:
        """Where the model is or will be."""
        return self._settings.device

    def facts(self) -> Mapping[str, Any]:
        """What an earlier load of these very weights found."""
        try:
            facts = self._store.get_record(f"model/{self.source.id}") or {}
        except StoreUnavailable:
            return {}
        return facts if facts.get("weights") == self.source.weights else {}


class Models:
    """All listed models by id."""

    def __init__(self, sources: Mapping[str, ModelSource], settings: Settings, store: Store) -> None:
        self._settings = settings
        self._hosts = {name: ModelHost(source, settings, store) for name, source in sources.items()}
        if settings.threads:
            torch.set_num_threads(settings.threads)

    def host(self, model_id: str | None) -> ModelHost:
        """The model of this id, the default one for None; 404 where it is not listed."""
        model_id = model_id or self._settings.default_model
        if model_id not in self._hosts:
            known = ", ".join(sorted(self._hosts))
            raise ApiError(404, "unknown_model", f"There is no model {model_id!r} here. Known: {known}.")
        return self._hosts[model_id]

    def bodies(self) -> list[dict[str, Any]]:
        """Every model, the default first."""
        return sorted((host.body() for host in self._hosts.values()), key=lambda body: not body["default"])

    def warm(self) -> None:
        """Begin to load the default model, without waiting for it."""
        host = self.host(None)
        threading.Thread(target=_load_quietly, args=(host,), name="warm", daemon=True).start()


def _load_quietly(host: ModelHost) -> None:
    with contextlib.suppress(ModelFailed):  # told by the model's state and by every request for it
        host.load()


def dimensions_of(model: LanguageModel) -> dict[str, int]:
    """Sizes of a model as the API tells them."""
    names = ("n_layers", "n_heads", "n_kv_heads", "d_model", "d_head", "vocab_size", "max_tokens")
    return {name: getattr(model, name) for name in names} | {"n_parameters": model.n_parameters}


def certificate_body(certificate: Certificate) -> dict[str, Any]:
    """The certificate as the API tells it."""
    return asdict(certificate) | {"passed": certificate.passed}
