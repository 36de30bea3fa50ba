"""A prompt as the model sees it: tokens, a role for every token, and the token that says each label."""

from dataclasses import dataclass

from analysis.questions import Question


@dataclass(frozen=True)
class Prompt:
    """One question, laid out as text and cut into tokens.

    Positions count from 0 and include a begin-of-sequence token where the tokenizer adds one.
    """

    question: Question
    text: str
    token_ids: tuple[int, ...]
    token_texts: tuple[str, ...]  # decoded one by one, leading space kept
    roles: tuple[tuple[str, ...], ...]  # per position, at least one role; see analysis.roles
    label_ids: tuple[int, ...]  # per option, the token that the model must say to choose it
    label_positions: tuple[int, ...]  # per option, where its label stands in the prompt
    warnings: tuple[str, ...] = ()  # for example a label that the tokenizer merges with its bracket

    @property
    def correct(self) -> int:
        """Index of the correct option; its label is the answer."""
        return self.question.correct

    @property
    def answer_id(self) -> int:
        """Token of the correct option's label."""
        return self.label_ids[self.correct]


@dataclass(frozen=True)
class PromptPair:
    """A clean prompt and its counterfactual, which a patch takes its values from (or writes into).

    Some analyses ask for variants of the clean prompt: the same question under other labels, for example.
    """

    clean: Prompt
    corrupt: Prompt
    variants: tuple[Prompt | None, ...] = ()  # None where this tokenizer cannot write one
