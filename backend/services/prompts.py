"""Prompts before anything runs on them: read by a model's tokenizer, as the page shows while one types."""

import random
from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase

from analysis.counterfactuals import SAMPLERS
from analysis.errors import BadQuestion
from analysis.pair_files import read_pair, write_pair
from analysis.prompt_checks import CheckedPair, ReadPrompt, check_pair
from analysis.question_files import PromptFile
from analysis.questions import Question
from analysis.text_pairs import QuestionPair
from backend.errors import ApiError
from backend.models import Models
from backend.schemas.prompts import CheckRequest, DrawRequest
from backend.services.prompt_sets import PromptSets, kind_of, read_file

PREVIEWED = 3  # pairs of a file
CHECKED = 500  # lines of a file that the tokenizer reads for a preview
LISTED = 20  # remarks on lines
Json = dict[str, Any]


class PromptChecks:
    """Reads prompts with the tokenizers of the server's models; a model that is not there yet is loaded."""

    def __init__(self, models: Models, prompt_sets: PromptSets) -> None:
        self._models, self._prompt_sets = models, prompt_sets

    def check(self, request: CheckRequest) -> Json:
        """One pair; what cannot be read is a remark like any other."""
        try:
            pair = read_pair(request.model_dump(exclude={"model"}, exclude_none=True))
        except BadQuestion as error:
            return unreadable(str(error))
        return check_body(check_pair(pair, self._tokenizer(request.model)))

    def draw(self, request: DrawRequest) -> Json:
        """Some pairs of a draw."""
        choice = request.prompts.model_copy(update={"index": None})
        pairs = self._prompt_sets.pairs(choice)
        shown = pairs[request.first : request.first + request.limit]
        tokenizer = self._tokenizer(request.model) if request.check else None
        return {
            "n": len(pairs),
            "kind": self._prompt_sets.kind(choice.set),
            "pairs": drawn(shown, tokenizer, first=request.first),
        }

    def preview(self, payload: bytes, content_type: str, model: str | None) -> Json:
        """What a file would become, or every line that cannot be read."""
        try:
            file = read_file(payload, content_type)
        except ApiError as error:
            if error.code != "bad_question_file":
                raise
            return refused(error)
        pairs = pairs_of(file)
        tokenizer = self._tokenizer(model)
        checks = [check_pair(pair, tokenizer) for pair in pairs[:CHECKED]]
        remarks = [
            {"line": line, "message": remark.message, "stops": remark.stops}
            for line, checked in zip(file.lines, checks, strict=False)
            for remark in checked.remarks
        ]
        return {
            "kind": kind_of(file),
            "problems": [],
            "n": len(pairs),
            "n_checked": len(checks),
            "n_unusable": sum(not checked.usable for checked in checks),
            "pairs": drawn(pairs[:PREVIEWED], tokenizer),
            "remarks": sorted(remarks, key=lambda remark: not remark["stops"])[:LISTED],
        }

    def _tokenizer(self, model: str | None) -> PreTrainedTokenizerBase:
        return self._models.host(model).load().tokenizer


def refused(error: ApiError) -> Json:
    """The preview of a file that cannot be used."""
    problems = error.extra.get("details") or [{"line": None, "message": error.message, "expected": ""}]
    nothing = dict.fromkeys(("n", "n_checked", "n_unusable"), 0)
    return {"kind": None, "problems": problems, **nothing, "pairs": [], "remarks": []}


def drawn(
    pairs: Sequence[QuestionPair], tokenizer: PreTrainedTokenizerBase | None, *, first: int = 0
) -> list[Json]:
    """Pairs as they can be edited and, by this tokenizer, as they are read."""
    return [
        {
            "index": first + place,
            "pair": write_pair(pair),
            "check": check_body(check_pair(pair, tokenizer)) if tokenizer else None,
        }
        for place, pair in enumerate(pairs)
    ]


def pairs_of(file: PromptFile) -> Sequence[QuestionPair]:
    """The pairs of a file; questions get the counterfactual that is usual, so that they can be shown."""
    return file.pairs or [_swapped(question) for question in file.questions]


def _swapped(question: Question) -> QuestionPair:
    return question, SAMPLERS["swap_options"](question, (), random.Random(0))


def unreadable(message: str) -> Json:
    """The answer to a pair that is not even one."""
    remark = {"where": "both", "message": message, "stops": True}
    return {"clean": None, "corrupt": None, "aligned": [], "remarks": [remark], "usable": False}


def check_body(checked: CheckedPair) -> Json:
    """A checked pair as the API tells it."""
    return {
        "clean": _prompt_body(checked.clean),
        "corrupt": _prompt_body(checked.corrupt),
        "aligned": checked.aligned,
        "remarks": [vars(remark) for remark in checked.remarks],
        "usable": checked.usable,
    }


def _prompt_body(prompt: ReadPrompt | None) -> Json | None:
    if prompt is None:
        return None
    tokens = zip(prompt.tokens, prompt.token_texts, strict=True)
    return {
        "text": prompt.text,
        "tokens": [{"text": text, **vars(token)} for token, text in tokens],
        "answers": [
            {"text": said.text, "id": said.token_id, "token": said.token_text} for said in prompt.answers
        ],
    }
