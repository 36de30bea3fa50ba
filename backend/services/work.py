"""One result in the making: the pairs of a spec, computed one by one, each stored under its own key."""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import torch

from analysis.analyses.base import Values
from analysis.interrupt import stop_point
from analysis.prompts import Prompt, PromptPair
from analysis.questions import Question
from analysis.text_pairs import compared
from analysis.tokenise import tokenised_or_none
from backend import __version__
from backend.encoding import encode_result, encode_summary, pack, unpack
from backend.engines.work import Expected
from backend.models import LoadedModel
from backend.services.costs import Cost, Costs, Size, Spent, shape_of, token_layers
from backend.services.prompt_sets import PromptSets
from backend.services.records import Records
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
        self._spent, self._fit_s = Spent(), 0.0
        self.expected = Expected(device=resolved.host.device)

    @cached_property
    def _loaded(self) -> LoadedModel:
        return self.resolved.host.load()

    def prepare(self) -> int:
        """Tokenise the prompts; refuse what cannot be computed. Returns the number of pairs."""
        model = self._loaded.language_model
        self._pairs = [self._tokenised(clean, corrupt) for clean, corrupt in self.resolved.pairs]
        self._analysis.check(model, self._pairs, self._parameters)
        self._learn_from_others()
        self._chunks = [
            (index, part)
            for index, pair in enumerate(self._pairs)
            for part in self._analysis.split(model, pair, self._parameters)
        ]
        return len(self._chunks)

    def run_chunk(self, index: int) -> bool:
        """Compute one part of a pair, or take its values from the store; whether it had to be computed."""
        of_pair, part = self._chunks[index]
        pair = self._pairs[of_pair]
        model = self._loaded.language_model
        key = self._chunk_key(pair, part)
        before = self._spent.chunks
        values = self._stored_or(key, lambda: self._analysis.compute(model, pair, part))
        self._values.setdefault(of_pair, []).append(values)
        return self._spent.chunks > before

    def _tokenised(self, clean: Question, corrupt: Question) -> PromptPair:
        stop_point()
        tokenised = self._loaded.tokenised
        return compared(tokenised(clean), tokenised(corrupt), self._variants(clean))

    def _variants(self, question: Question) -> tuple[Prompt | None, ...]:
        variants = self._analysis.variants(question, self._parameters)
        return tuple(tokenised_or_none(variant, self._loaded.tokenizer) for variant in variants)

    def _learn_from_others(self) -> None:
        """Run the prompts of the other split that the analysis needs beforehand, once for all its results."""
        key, questions = self._of_others()
        if key is None:
            return
        loaded = self._loaded

        def find() -> Values:
            prompts = [loaded.tokenised(question) for question in questions]
            return self._analysis.from_others(loaded.language_model, prompts, self._parameters)

        self._analysis, self._others = self._analysis.knowing(self._stored_or(key, find)), key
        self._fit_s, self._spent = self._spent.seconds, Spent()

    def _of_others(self) -> tuple[str | None, list[Question]]:
        """The prompts of the other split and the key of what is found in them; None where none are needed."""
        n_others = self._analysis.n_others(self._parameters)
        if not n_others:
            return None, []
        questions = self._prompt_sets.others(self.resolved.posted.prompts, n_others)
        named = {
            "others": [self._analysis.fit, self._analysis.fitted_with(self._parameters)],
            "model": self.resolved.spec["model"],
            "questions": [asdict(question) for question in questions],
        }
        return key_for(named), questions

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
        """The finished result, as it is stored and sent; records of it and of its cost are kept."""
        began = time.perf_counter()
        body = self._body()
        Records(self._store).write(body)
        self._remember_cost(time.perf_counter() - began)
        return encode_result(body)

    @property
    def is_fitted(self) -> bool:
        """Whether what is needed of other prompts is stored, or nothing is."""
        key, _ = self._of_others()
        return key is None or self._store.has(key)

    @property
    def costs(self) -> Costs:
        """What results have cost on this model and machine."""
        return Costs(self._store, {**self.resolved.spec["model"], "threads": torch.get_num_threads()})

    def _remember_cost(self, once_s: float) -> None:
        """For estimates: what was computed just now, not what was found stored."""
        n_pairs = self._spent.chunks * len(self._pairs) / max(1, len(self._chunks))
        if not n_pairs:
            return
        model = self._loaded.language_model
        n_tokens = sum(len(pair.clean.token_ids) for pair in self._pairs) / len(self._pairs)
        size = Size(model.n_layers, model.n_heads, n_tokens)
        cost = Cost(
            seconds=self._spent.seconds / n_pairs,
            counted=token_layers(self._analysis, self._parameters, size),
            forwards=self._spent.forwards / n_pairs,
            once_s=once_s,
            fit_s=self._fit_s,
        )
        self.costs.learn(self._analysis.name, shape_of(self._parameters), cost)

    def _packed(self, compute: Callable[[], Values]) -> bytes:
        loaded = self._loaded
        began, passes = time.perf_counter(), loaded.forward_passes
        values = compute()
        cost = {"forward_passes": loaded.forward_passes - passes, "seconds": time.perf_counter() - began}
        self._spent.add(cost["seconds"], cost["forward_passes"])
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
