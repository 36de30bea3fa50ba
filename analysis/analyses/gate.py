"""Whether the model does the task at all, over the prompt pairs of a figure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import torch

from analysis.activations import stack_answers, stack_tokens
from analysis.analyses.base import (
    Analysis,
    NoParameters,
    Summary,
    Values,
    answer_coordinates,
    lists_options,
    prompt_warnings,
    table,
)
from analysis.bootstrap import wilson_interval
from analysis.gate import PromptGate, gate_prompt, summarise
from analysis.model import LanguageModel
from analysis.prompts import PromptPair

TENSORS = ("letter_logits", "letter_log_probs", "content_log_probs")


class Gate(Analysis):
    """The capability gate."""

    name: ClassVar[str] = "gate"
    title: ClassVar[str] = "Capability gate: accuracy by letter and by content"

    @torch.inference_mode()
    def compute(self, model: LanguageModel, pair: PromptPair, parameters: NoParameters) -> Values:
        """What the model says to the clean prompt, and whether it gets the corrupt one."""
        clean = gate_prompt(model, pair.clean)
        hidden = model.hidden(stack_tokens([pair.corrupt]))[:, -1]
        corrupt = model.answer_logits(hidden, stack_answers([pair.corrupt]))[0]
        return {name: getattr(clean, name) for name in TENSORS} | {
            "corrupt_right": torch.tensor(float(corrupt.argmax() == pair.corrupt.correct))
        }

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: NoParameters
    ) -> Summary:
        """Proportions with Wilson's interval, means with the bootstrap's."""
        prompts = [
            PromptGate(**{name: values[name][i] for name in TENSORS}, correct=pair.clean.correct)
            for i, pair in enumerate(pairs)
        ]
        listed = lists_options(pairs)
        gate = summarise(prompts) if listed else replace(summarise(prompts), by="")
        right = torch.tensor([float(prompt.chosen == prompt.correct) for prompt in prompts])
        both = wilson_interval((right * values["corrupt_right"]).sum(), torch.tensor(float(len(pairs))))
        return Summary(
            coordinates={"answer": answer_coordinates(pairs)},
            tables={
                "accuracy_by_letter": table("fraction", gate.accuracy_by_letter),
                **({"accuracy_by_content": table("fraction", gate.accuracy_by_content)} if listed else {}),
                "accuracy_both": table("fraction", both),
                "nll": table("nat", gate.nll),
                "letter_nll": table("nat", gate.letter_nll),
                "centred_logit": table("logit", gate.centred_logit),
                "recall": table("fraction", gate.recall, "answer"),
                "chosen_share": table("fraction", gate.chosen_share, "answer"),
            },
            details={
                "chance": gate.chance,
                "standing": gate.standing,
                "at_chance": gate.at_chance,
                "recall_std": gate.recall_std,
                "verdict": gate.verdict,
            },
            warnings=prompt_warnings(pairs),
        )
