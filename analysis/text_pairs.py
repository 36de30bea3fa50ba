"""Pairs of plain texts with the words that may follow: any task whose answer is one token.

clean    When Mary and John went to the shop, John gave a drink to    -> " Mary"
corrupt  When Mary and John went to the shop, Mary gave a drink to    -> " John", the distractor

An answer is written exactly as it follows the prompt, its space in front included.
"""

from collections.abc import Sequence
from dataclasses import replace

from analysis.alignment import changed
from analysis.prompts import Prompt, PromptPair
from analysis.questions import TEXT, Option, Question

QuestionPair = tuple[Question, Question]


def text_pair(clean: str, corrupt: str, answers: Sequence[str], kind: str = "uploaded") -> QuestionPair:
    """Both texts with the same answers; the first is right for the clean one, the second for the corrupt."""
    options = tuple(Option(answer, answer) for answer in answers)
    return (
        Question(clean, options, 0, format=TEXT, kind=kind),
        Question(corrupt, options, min(1, len(options) - 1), format=TEXT, kind=kind),
    )


def compared(clean: Prompt, corrupt: Prompt, variants: tuple[Prompt | None, ...] = ()) -> PromptPair:
    """A pair; of plain texts, the tokens that the other prompt does not have get the role `changed`."""
    if clean.question.lists_options:
        return PromptPair(clean, corrupt, variants)
    here, there = changed(clean.token_ids, corrupt.token_ids)
    return PromptPair(_marked(clean, here), _marked(corrupt, there), variants)


def _marked(prompt: Prompt, positions: set[int]) -> Prompt:
    roles = [
        (*roles, "changed") if position in positions else roles for position, roles in enumerate(prompt.roles)
    ]
    return replace(prompt, roles=tuple(roles))
