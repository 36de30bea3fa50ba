"""One result in the making: the pairs of a spec, computed one by one, each stored under its own key."""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import torch

from analysis.analyses.base import Values
from analysis.prompts import Prompt, PromptPair
from analysis.questions import Question
from analysis.tokenise import tokenise, tokenised_or_none
from backend import __version__
from backend.encoding import encode_result, encode_summary, pack, unpack
from backend.models import LoadedModel
from backend.services.prompt_sets import PromptSets
from backend.services.specs import ResolvedSpec
from cache.keys import key_for
from cache.store import Store

NOT_CERTIFIED = (
    "On this model our numbers and plain transformers differ by up to {:.1e} logits, more than is allowed. "
    "Effects were computed with plain hooks; do not trust attributions further than that."
)


class AnalysisWork:
    """What the engine runs: `prepare` once, then every chunk, then `finish`, all on the model's thread."""

    def __init__(self, resolved: ResolvedSpec, prompt_sets: PromptSets, store: Store) -> None:
        self.resolved, self._prompt_sets, self._store = resolved, prompt_sets, store
        self.key, self.model = resolved.key, resolved.host.source.id
        self.spec = resolved.posted.model_dump(by_alias=True)
        self._analysis, self._parameters = resolved.analysis, resolved.parameters
        self._pairs: list[PromptPair] = []
        self._chunks: list[tuple[int, Any]] = []  # which pair, and the parameters of its part
        self._values: dict[int, list[Values]] = {}  # by pair, the parts that are done
        self._others: str | None = None
        self._cost = {"forward_passes": 0, "seconds": 0.0}

    @cached_property
    def _loaded(self) -> LoadedModel:
        return self.resolved.host.load()

    def prepare(self) -> int:
        """Tokenise the prompts; refuse what cannot be computed. Returns the number of pairs."""
        model, tokenizer = self._loaded.language_model, self._loaded.tokenizer
        self._pairs = [
            PromptPair(tokenise(clean, tokenizer), tokenise(corrupt, tokenizer), self._variants(clean))
            for clean, corrupt in self.resolved.pairs
        ]
        self._analysis.check(model, self._pairs, self._parameters)
        self._learn_from_others()
        self._chunks = [
            (index, part)
            for index, pair in enumerate(self._pairs)
            for part in self._analysis.split(model, pair, self._parameters)
        ]
        return len(self._chunks)

    def run_chunk(self, index: int) -> None:
        """Compute one part of a pair, or take its values from the store."""
        of_pair, part = self._chunks[index]
        pair = self._pairs[of_pair]
        model = self._loaded.language_model
        key = self._chunk_key(pair, part)
        values = self._stored_or(key, lambda: self._analysis.compute(model, pair, part))
        self._values.setdefault(of_pair, []).append(values)

    def _variants(self, question: Question) -> tuple[Prompt | None, ...]:
        variants = self._analysis.variants(question, self._parameters)
        return tuple(tokenised_or_none(variant, self._loaded.tokenizer) for variant in variants)

    def _learn_from_others(self) -> None:
        """Run the prompts of the other split that the analysis needs beforehand, once for all its results."""
        n_others = self._analysis.n_others(self._parameters)
        if not n_others:
            return
        model, tokenizer = self._loaded.language_model, self._loaded.tokenizer
        questions = self._prompt_sets.others(self.resolved.posted.prompts, n_others)
        key = key_for(
            {
                "others": [self._analysis.fit, self._analysis.fitted_with(self._parameters)],
                "model": self.resolved.spec["model"],
                "questions": [asdict(question) for question in questions],
            }
        )

        def find() -> Values:
            prompts = [tokenise(question, tokenizer) for question in questions]
            return self._analysis.from_others(model, prompts, self._parameters)

        self._analysis, self._others = self._analysis.knowing(self._stored_or(key, find)), key

    def _stored_or(self, key: str, compute: Callable[[], Values]) -> Values:
        """Values from the store, or computed and stored; what they cost is added up either way."""
        stored = self._store.find(key)
        if stored is None:
            stored = self._packed(compute)
            self._store.keep(key, stored)
        values, cost = unpack(stored)
        self._cost = {name: amount + cost[name] for name, amount in self._cost.items()}
        return values

    def partial(self) -> dict[str, Any] | None:
        """The result over the pairs done so far."""
        return self._body() if self._values else None

    def finish(self) -> bytes:
        """The finished result, as it is stored and sent."""
        return encode_result(self._body())

    def _packed(self, compute: Callable[[], Values]) -> bytes:
        loaded = self._loaded
        began, passes = time.perf_counter(), loaded.forward_passes
        values = compute()
        cost = {"forward_passes": loaded.forward_passes - passes, "seconds": time.perf_counter() - began}
        return pack(values, cost)

    def _chunk_name(self) -> dict[str, Any]:
        return {"name": self._analysis.name, "version": self._analysis.version}

    def _chunk_key(self, pair: PromptPair, part: Any) -> str:
        """Names what a pair's values depend on: its own text, not the set that it was drawn from."""
        named = {
            "chunk": self._chunk_name(),
            "model": self.resolved.spec["model"],
            "pair": [asdict(pair.clean.question), asdict(pair.corrupt.question)],
            "parameters": self._analysis.computed_with(part),
        }
        return key_for(named | ({"others": self._others} if self._others else {}))

    def _body(self) -> dict[str, Any]:
        pairs = self._pairs[: len(self._values)]
        per_pair = [self._analysis.combine(parts) for parts in self._values.values()]
        stacked = {name: torch.stack([values[name] for values in per_pair]) for name in per_pair[0]}
        summary = self._analysis.summarise(self._loaded.language_model, pairs, stacked, self._parameters)
        encoded = encode_summary(summary)
        if not self._loaded.certificate.passed:
            encoded["warnings"].append(NOT_CERTIFIED.format(self._loaded.certificate.largest))
        return {
            "key": self.key,
            "spec": self.resolved.spec,
            "complete": sum(map(len, self._values.values())) == len(self._chunks),
            "n": len(self._pairs),
            "n_done": len(pairs),
            **encoded,
            "provenance": self._provenance(),
        }

    def _provenance(self) -> dict[str, Any]:
        """Where the numbers come from, for the foot of every figure."""
        prompts, host = self.resolved.posted.prompts, self.resolved.host
        precision = self._loaded.certificate.precision
        return {
            "model": host.source.id,
            "revision": host.source.weights[:12],
            "dtype": host.dtype,
            "device": host.device,
            "prompts": self._prompt_sets.title(prompts),
            "n": len(self._pairs),
            "seed": prompts.seed,
            "forward_passes": self._cost["forward_passes"],
            "seconds": round(self._cost["seconds"], 3),
            "certificate": self._loaded.certificate.largest,
            "rounding": None if precision is None else precision.rms,
            "version": __version__,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
        }
