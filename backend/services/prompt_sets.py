"""Sets of prompts: built-in generators, and files of anybody's kept under the hash of their content."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from analysis import indirect_object
from analysis.counterfactuals import make_pairs
from analysis.errors import BadQuestion
from analysis.layout import Layout
from analysis.mutations import MUTATIONS, Mutation, OwnMutation, mutation_of
from analysis.pair_files import read_pair, write_pair
from analysis.question_files import BadQuestionFile, PromptFile, read_csv, read_json_lines
from analysis.question_sets import BUILTIN, arrange, draw
from analysis.questions import Option, Question
from analysis.text_pairs import QuestionPair
from backend.errors import ApiError
from backend.schemas.spec import PromptChoice
from cache.store import Store

READERS = {"text/csv": read_csv, "application/x-ndjson": read_json_lines}
Json = dict[str, Any]


class PromptSets:
    """All sets of prompts of one server."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def bodies(self) -> list[Json]:
        """The sets as the API tells them, built-in ones first."""
        uploaded = self._store.records("prompt-set/").values()
        builtin = [*map(_builtin_body, BUILTIN), _indirect_object_body()]
        return builtin + [record["body"] for record in uploaded]

    def add(self, payload: bytes, content_type: str) -> Json:
        """Keep an uploaded file; the same file gets the same id. Raises `ApiError` naming lines."""
        file = read_file(payload, content_type)
        body = _uploaded_body(payload, file)
        questions = [asdict(question) for question in file.questions]
        held: Json = {"questions": questions} if questions else {"pairs": [*map(write_pair, file.pairs)]}
        self._store.put_record(f"prompt-set/{body['id']}", {"body": body, **held})
        return body

    def pairs(self, choice: PromptChoice) -> list[QuestionPair]:
        """The chosen clean and corrupt questions; a pure function of the choice and the set.

        A mutation changes the drawn questions; the corrupt ones are made from them. Sets that hold pairs keep
        them as they are.
        """
        pairs = self._all_pairs(choice)
        return pairs if choice.index is None else pairs[choice.index : choice.index + 1]

    def kind(self, set_id: str) -> str:
        """`questions` are laid out when they are drawn; `pairs` and `text` are taken as they are."""
        if set_id in BUILTIN:
            return "questions"
        if set_id == indirect_object.ID:
            return "text"
        return self._record(set_id)["body"].get("kind", "questions")

    def others(self, choice: PromptChoice, n: int) -> list[Question]:
        """Questions of the other split, laid out alike and without a mutation: what is fitted on them is
        judged on the mutated ones. Of an uploaded set, which has no splits, any.
        """
        split = "train" if choice.split == "held_out" else "held_out"
        if choice.set not in BUILTIN and choice.set != indirect_object.ID:
            n = min(n, self._record(choice.set)["body"]["n_questions"])
        update = {"split": split, "n": n, "seed": 0, "index": None, "mutation": "none", "own_mutation": None}
        elsewhere = choice.model_copy(update=update)
        return [clean for clean, _ in self.pairs(elsewhere)]

    def title(self, choice: PromptChoice) -> str:
        """What the foot of a figure says about the prompts."""
        about, split = [choice.set], choice.split.replace("_", " ")
        if choice.set in BUILTIN:
            about = [BUILTIN[choice.set].title.lower(), split]
        if choice.set == indirect_object.ID:
            about = [indirect_object.TITLE.lower(), split]
        made = [choice.sampler] if self.kind(choice.set) == "questions" else []
        return ", ".join([*about, *made, *(mutation.title.lower() for mutation in _mutations(choice))])

    def _all_pairs(self, choice: PromptChoice) -> list[QuestionPair]:
        if choice.set in BUILTIN:
            layout = _layout(choice)
            drawn = draw(choice.set, split=choice.split, n=choice.n, seed=choice.seed, layout=layout)
            return _finished(drawn, choice)
        if choice.set == indirect_object.ID:
            _refuse_mutations(choice)
            return indirect_object.draw_pairs(choice.split, choice.n, choice.seed)
        record = self._record(choice.set)
        if "pairs" in record:
            _refuse_mutations(choice)
            return _first(record["pairs"], choice.n)
        uploaded = [_question(fields) for fields in record["questions"]]
        layout = _layout(choice)
        layout = replace(layout, n_options=min(layout.n_options, len(uploaded[0].options)))
        return _finished(arrange(uploaded, choice.n, choice.seed, layout), choice)

    def _record(self, set_id: str) -> Mapping[str, Any]:
        record = self._store.get_record(f"prompt-set/{set_id}")
        if record is None:
            known = ", ".join((*BUILTIN, indirect_object.ID))
            raise ApiError(
                404, "unknown_prompt_set", f"There is no prompt set {set_id!r}. Built in are {known}."
            )
        return record


def read_file(payload: bytes, content_type: str) -> PromptFile:
    """The prompts of a file; `ApiError` with every line that is wrong and what was expected."""
    reader = READERS.get(content_type.partition(";")[0].strip().lower())
    if reader is None:
        raise ApiError(415, "unknown_format", f"Send one of {', '.join(READERS)}, not {content_type!r}.")
    try:
        return reader(payload.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ApiError(422, "bad_question_file", f"The file is not UTF-8 (byte {error.start}).") from None
    except BadQuestionFile as error:
        details = [
            {"line": line, "message": message, "expected": error.expected} for line, message in error.problems
        ]
        raise ApiError(422, "bad_question_file", str(error), details=details) from None


def kind_of(file: PromptFile) -> str:
    """What the prompts of a file are."""
    if file.questions:
        return "questions"
    return "pairs" if file.pairs[0][0].lists_options else "text"


def _layout(choice: PromptChoice) -> Layout:
    return Layout(choice.n_options, choice.label_style, choice.format, choice.prelude, choice.shots)


def _finished(drawn: list[Question], choice: PromptChoice) -> list[QuestionPair]:
    for mutation in _mutations(choice):
        drawn = [mutation.mutate(question) for question in drawn]
    return make_pairs(drawn, choice.sampler, choice.seed)


def _first(pairs: list[Json], n: int) -> list[QuestionPair]:
    """In the order in which they were sent: they were made one by one."""
    if n > len(pairs):
        raise BadQuestion(f"The set has {len(pairs)} pairs; n = {n} is not from 1 to that.")
    return [read_pair(pair) for pair in pairs[:n]]


def _mutations(choice: PromptChoice) -> list[Mutation]:
    """What changes the questions' form, in order; usually nothing."""
    named = [] if choice.mutation == "none" else [MUTATIONS[choice.mutation]]
    own = choice.own_mutation
    return named if own is None else [*named, mutation_of(OwnMutation(**own.model_dump()))]


def _refuse_mutations(choice: PromptChoice) -> None:
    if _mutations(choice):
        raise BadQuestion(
            f"The set {choice.set} holds finished pairs, which are taken as they are: no mutation applies."
        )


def _builtin_body(name: str) -> Json:
    built = BUILTIN[name]
    return {
        "id": built.id,
        "title": built.title,
        "description": built.description,
        "n_questions": built.n_questions("held_out"),
        "builtin": True,
        "options": [2, 3, 4, 5],
        "kind": "questions",
    }


def _indirect_object_body() -> Json:
    return {
        "id": indirect_object.ID,
        "title": indirect_object.TITLE,
        "description": indirect_object.DESCRIPTION,
        "n_questions": indirect_object.n_pairs("held_out"),
        "builtin": True,
        "options": [2],
        "kind": "text",
    }


def _uploaded_body(payload: bytes, file: PromptFile) -> Json:
    digest, kind = hashlib.sha256(payload).hexdigest()[:12], kind_of(file)
    first = file.questions[0] if file.questions else file.pairs[0][0]
    n = len(file.lines)
    noun = "questions" if kind == "questions" else "pairs"
    return {
        "id": f"{'set' if kind == 'questions' else kind}-{digest}",
        "title": f"Uploaded, {first.text[:40].strip()} …",
        "description": f"{n} uploaded {noun}.",
        "n_questions": n,
        "builtin": False,
        "options": [len(first.options)],
        "kind": kind,
    }


def _question(fields: Mapping[str, Any]) -> Question:
    options = tuple(Option(option["label"], option["content"]) for option in fields["options"])
    return Question(
        fields["text"], options, fields["correct"], kind=fields["kind"], subject=fields["subject"]
    )
