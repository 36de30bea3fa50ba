"""The prompt pairs themselves, as text and as the tokens that the model sees."""

from collections.abc import Sequence
from typing import Any, ClassVar

from analysis.analyses.base import Analysis, NoParameters, Summary, Values, prompt_warnings
from analysis.model import LanguageModel
from analysis.prompts import Prompt, PromptPair


class Prompts(Analysis):
    """Shows what is asked; runs nothing through the model."""

    name: ClassVar[str] = "prompts"
    title: ClassVar[str] = "The prompt pairs, their tokens and the role of every token"

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: NoParameters) -> Values:
        """Nothing to compute."""
        return {}

    def summarise(
        self,
        model: LanguageModel,
        pairs: Sequence[PromptPair],
        values: Values,
        parameters: NoParameters,
    ) -> Summary:
        """Both prompts of every pair."""
        described = [
            {"index": index, "clean": describe(pair.clean), "corrupt": describe(pair.corrupt)}
            for index, pair in enumerate(pairs)
        ]

        return Summary(details={"pairs": described}, warnings=prompt_warnings(pairs))


def describe(prompt: Prompt) -> dict[str, Any]:
    """One prompt as a person and as the model reads it."""
    question = prompt.question
    return {
        "question": question.text,
        "prelude": question.prelude,
        "options": [{"label": option.label, "content": option.content} for option in question.options],
        "correct": question.correct,
        "text": prompt.text,
        "tokens": [
            {"text": text, "roles": list(roles)}
            for text, roles in zip(prompt.token_texts, prompt.roles, strict=True)
        ],
        "warnings": list(prompt.warnings),
    } | ({} if question.lists_options else {"plain_text": True})
