"""Sets of questions: built-in generators, and uploaded files kept under the hash of their content."""

import hashlib
from dataclasses import asdict, replace
from typing import Any

from analysis.counterfactuals import make_pairs
from analysis.layout import Layout
from analysis.mutations import MUTATIONS, Mutation, OwnMutation, mutation_of
from analysis.question_files import BadQuestionFile, read_jsonl, read_mmlu_csv
from analysis.question_sets import BUILTIN, arrange, draw
from analysis.questions import Option, Question
from backend.errors import ApiError
from backend.schemas.spec import PromptChoice
from cache.store import Store

READERS = {"text/csv": read_mmlu_csv, "application/x-ndjson": read_jsonl}
QuestionPair = tuple[Question, Question]


class PromptSets:
    """All question sets of one server."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def bodies(self) -> list[dict[str, Any]]:
        """The sets as the API tells them, built-in ones first."""
        uploaded = self._store.records("prompt-set/").values()
        return [_builtin_body(name) for name in BUILTIN] + [record["body"] for record in uploaded]

    def add(self, payload: bytes, content_type: str) -> dict[str, Any]:
        """Keep an uploaded file; the same file gets the same id. Raises `ApiError` naming lines."""
        reader = READERS.get(content_type.partition(";")[0].strip().lower())
        if reader is None:
            raise ApiError(415, "unknown_format", f"Send one of {', '.join(READERS)}, not {content_type!r}.")
        try:
            questions = reader(payload.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise ApiError(422, "bad_question_file", f"The file is not UTF-8 (byte {error.start}).") from None
        except BadQuestionFile as error:
            details = [{"line": line, "message": message} for line, message in error.problems]
            raise ApiError(422, "bad_question_file", str(error), details=details) from None
        body = _uploaded_body(payload, questions)
        record = {"body": body, "questions": [asdict(question) for question in questions]}
        self._store.put_record(f"prompt-set/{body['id']}", record)
        return body

    def pairs(self, choice: PromptChoice) -> list[QuestionPair]:
        """The chosen clean and corrupt questions; a pure function of the choice and the set.

        A mutation changes the drawn questions; the corrupt ones are made from them.
        """
        layout = Layout(choice.n_options, choice.label_style, choice.format, choice.prelude, choice.shots)
        if choice.set in BUILTIN:
            drawn = draw(choice.set, split=choice.split, n=choice.n, seed=choice.seed, layout=layout)
        else:
            uploaded = self._uploaded(choice.set)
            layout = replace(layout, n_options=min(layout.n_options, len(uploaded[0].options)))
            drawn = arrange(uploaded, choice.n, choice.seed, layout)
        for mutation in _mutations(choice):
            drawn = [mutation.mutate(question) for question in drawn]
        pairs = make_pairs(drawn, choice.sampler, choice.seed)
        return pairs if choice.index is None else pairs[choice.index : choice.index + 1]

    def others(self, choice: PromptChoice, n: int) -> list[Question]:
        """Questions of the other split, laid out alike and without a mutation: what is fitted on them is
        judged on the mutated ones. Of an uploaded set, which has no splits, any.
        """
        split = "train" if choice.split == "held_out" else "held_out"
        update = {"split": split, "n": n, "seed": 0, "index": None, "mutation": "none", "own_mutation": None}
        elsewhere = choice.model_copy(update=update)
        return [clean for clean, _ in self.pairs(elsewhere)]

    def title(self, choice: PromptChoice) -> str:
        """What the foot of a figure says about the prompts."""
        about = [choice.set]
        if choice.set in BUILTIN:
            about = [BUILTIN[choice.set].title.lower(), choice.split.replace("_", " ")]
        return ", ".join(
            [*about, choice.sampler, *(mutation.title.lower() for mutation in _mutations(choice))]
        )

    def _uploaded(self, set_id: str) -> list[Question]:
        record = self._store.get_record(f"prompt-set/{set_id}")
        if record is None:
            known = ", ".join(BUILTIN)
            raise ApiError(
                404, "unknown_prompt_set", f"There is no prompt set {set_id!r}. Built in are {known}."
            )
        return [_question(fields) for fields in record["questions"]]


def _mutations(choice: PromptChoice) -> list[Mutation]:
    """What changes the questions' form, in order; usually nothing."""
    named = [] if choice.mutation == "none" else [MUTATIONS[choice.mutation]]
    own = choice.own_mutation
    return named if own is None else [*named, mutation_of(OwnMutation(**own.model_dump()))]


def _builtin_body(name: str) -> dict[str, Any]:
    built = BUILTIN[name]
    return {
        "id": built.id,
        "title": built.title,
        "description": built.description,
        "n_questions": built.n_questions("held_out"),
        "builtin": True,
        "options": [2, 3, 4, 5],
    }


def _uploaded_body(payload: bytes, questions: list[Question]) -> dict[str, Any]:
    digest = hashlib.sha256(payload).hexdigest()[:12]
    return {
        "id": f"set-{digest}",
        "title": f"Uploaded, {questions[0].text[:40].strip()} …",
        "description": f"{len(questions)} uploaded questions.",
        "n_questions": len(questions),
        "builtin": False,
        "options": [len(questions[0].options)],
    }


def _question(fields: dict[str, Any]) -> Question:
    options = tuple(Option(option["label"], option["content"]) for option in fields["options"])
    return Question(
        fields["text"], options, fields["correct"], kind=fields["kind"], subject=fields["subject"]
    )
