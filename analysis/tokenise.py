"""A question to tokens: a role for every token, and the token that says each label in this very context."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerBase

from analysis.errors import PromptTooLong, UnknownWord, UnresolvedLabel, UnsupportedModel
from analysis.prompts import Prompt
from analysis.questions import Question, Segment, segments

MAX_CHARACTERS = 8192
MAX_TOKENS = 1024


@dataclass(frozen=True)
class Token:
    """One token and the characters `start` to `end` that it stands for; special tokens stand for none."""

    id: int
    start: int
    end: int
    special: bool = False


def tokenise(
    question: Question, tokenizer: PreTrainedTokenizerBase, *, max_tokens: int = MAX_TOKENS
) -> Prompt:
    """The prompt that the model reads. Words of a user that look like special tokens stay ordinary words.

    Raises `BadQuestion`, `PromptTooLong`, or `UnresolvedLabel` where a label is not one token at the end.
    """
    pieces = segments(question)
    text = "".join(piece.text for piece in pieces)
    check_length(text)
    tokens = tokens_of(text, tokenizer)
    if len(tokens) > max_tokens:
        raise PromptTooLong(f"The prompt has {len(tokens):,} tokens; at most {max_tokens:,} are allowed.")
    label_ids = tuple(label_id(label, text, tokens, question, tokenizer) for label in question.labels)
    touched = [_touched(token, text, pieces) for token in tokens]
    n_listed = len(question.options) if question.lists_options else 0
    label_positions = _last_positions("label", touched, n_listed)
    ends = set(_last_positions("content", touched, n_listed))
    roles = [_roles(segments_, position in ends) for position, segments_ in enumerate(touched)]
    return Prompt(
        question=question,
        text=text,
        token_ids=tuple(token.id for token in tokens),
        token_texts=tuple(token_texts(tokens, text, tokenizer)),
        roles=tuple(roles if n_listed else text_roles(tokens, label_ids, question.correct)),
        label_ids=label_ids,
        label_positions=label_positions,
        warnings=(*_merged(question, tokens, label_positions, text), *_unwanted(tokens, tokenizer)),
    )


def check_length(text: str) -> None:
    """Raise `PromptTooLong` for a text that is not worth tokenising."""
    if len(text) > MAX_CHARACTERS:
        raise PromptTooLong(
            f"The prompt has {len(text):,} characters; at most {MAX_CHARACTERS:,} are allowed."
        )


def tokenised_or_none(question: Question, tokenizer: PreTrainedTokenizerBase) -> Prompt | None:
    """The prompt, or None where this tokenizer cannot write it: too long, or a word or label is no token."""
    try:
        return tokenise(question, tokenizer)
    except (PromptTooLong, UnknownWord, UnresolvedLabel):
        return None


def tokens_of(text: str, tokenizer: PreTrainedTokenizerBase) -> list[Token]:
    """The tokens of a text as the tokenizer writes them, without special tokens at its end."""
    if not tokenizer.is_fast:
        raise UnsupportedModel(
            "This model's tokenizer cannot say which characters a token stands for. "
            "It needs a fast tokenizer (a tokenizer.json)."
        )
    coded = tokenizer(
        text, return_offsets_mapping=True, return_special_tokens_mask=True, split_special_tokens=True
    )
    rows = zip(coded["input_ids"], coded["offset_mapping"], coded["special_tokens_mask"], strict=True)
    tokens = [Token(id_, start, end, bool(special)) for id_, (start, end), special in rows]
    while tokens and tokens[-1].special:
        tokens.pop()
    _refuse_unknown(tokens, text, tokenizer)
    return tokens


def _refuse_unknown(tokens: list[Token], text: str, tokenizer: PreTrainedTokenizerBase) -> None:
    """A vocabulary of whole words holds few of them; the model would read all others as one and the same."""
    backend: Any = tokenizer.backend_tokenizer
    if not isinstance(backend.model, WordLevel):
        return
    for token in tokens:
        if token.id == tokenizer.unk_token_id:
            raise UnknownWord(
                f"{text[token.start : token.end]!r} is not among the {len(tokenizer)} words that this model "
                "knows. Choose questions made of its words, such as the set tiny-facts."
            )


def _touched(token: Token, text: str, pieces: Sequence[Segment]) -> list[Segment]:
    """The segments whose characters a token holds. Spaces count only where there is nothing else."""
    if token.special:
        return []
    places = range(token.start, max(token.end, token.start + 1))
    written = [place for place in places if text[place : place + 1] != " "] or list(places)
    found, end = [], 0
    for piece in pieces:
        start, end = end, end + len(piece.text)
        if any(start <= place < end for place in written):
            found.append(piece)
    return found


def _last_positions(role: str, touched: list[list[Segment]], n_options: int) -> tuple[int, ...]:
    """For every option, the last token in its segment with this role."""
    last = {
        piece.option: position
        for position, pieces in enumerate(touched)
        for piece in pieces
        if role in piece.roles and piece.option is not None
    }
    return tuple(last[option] for option in range(n_options))


def _roles(pieces: list[Segment], ends_content: bool) -> tuple[str, ...]:
    if not pieces:
        return ("bos",)
    roles = [role for piece in pieces for role in piece.roles]
    return tuple(dict.fromkeys([*roles, "content_last"] if ends_content else roles))


def text_roles(tokens: Sequence[Token], answer_ids: Sequence[int], correct: int) -> Iterator[tuple[str, ...]]:
    """Of a plain text: where it ends, and where it says its answer or a distractor itself."""
    for place, token in enumerate(tokens):
        if token.special:
            yield ("bos",)
            continue
        final = ("final",) if place == len(tokens) - 1 else ()
        said = "says_answer" if token.id == answer_ids[correct] else "says_distractor"
        yield (*final, *((said,) if token.id in answer_ids else ()), "text")


def token_texts(tokens: list[Token], text: str, tokenizer: PreTrainedTokenizerBase) -> Iterator[str]:
    """What each token stands for, leading spaces included. Parts of one character are decoded as they are."""
    for place, token in enumerate(tokens):
        before = tokens[place - 1].end if place else 0
        after = tokens[place + 1].start if place + 1 < len(tokens) else len(text)
        if token.special or token.start < before or token.end > after:
            yield str(tokenizer.decode([token.id])) or str(tokenizer.convert_ids_to_tokens(token.id))
        else:
            yield text[before : token.end]


def label_id(
    label: str, text: str, tokens: list[Token], question: Question, tokenizer: PreTrainedTokenizerBase
) -> int:
    """The token that the model must say after `text` to choose `label`.

    The prompt is tokenised with and without the label behind it. Where that would merge the label into the
    prompt's last token, the model, which has already read that last token, must say the bare label.
    """
    longer = tokens_of(text + question.format.label_lead + label, tokenizer)
    said = [token.id for token in longer]
    read = [token.id for token in tokens]
    if said[:-1] == read:
        return said[-1]
    bare = tokenizer.convert_tokens_to_ids(label)
    merged = len(said) <= len(read) and not question.format.label_lead
    if merged and isinstance(bare, int) and tokenizer.convert_ids_to_tokens(bare) == label:
        return bare
    if not question.lists_options:
        pieces = list(token_texts(longer, text + label, tokenizer))[len(read) :]
        raise UnresolvedLabel(_not_one(label, pieces if said[: len(read)] == read else []))
    raise UnresolvedLabel(
        f"The label {label!r} is not a single token after {question.format.suffix!r} "
        "for this model's tokenizer. Try other labels or another format."
    )


def _not_one(answer: str, pieces: list[str]) -> str:
    if not pieces:
        return (
            f"The answer “{answer}” changes how this model's tokenizer reads the end of the prompt. A space "
            "between the two belongs to the answer, not to the prompt."
        )
    parts = " + ".join(f"“{piece}”" for piece in pieces)
    return f"The answer “{answer}” is {len(pieces)} tokens here ({parts}); it must be one."


def _merged(question: Question, tokens: list[Token], positions: Sequence[int], text: str) -> Iterator[str]:
    """A sentence for labels that the tokenizer merges with what stands around them in their option line."""
    if not positions:
        return
    written = [text[tokens[position].start : tokens[position].end].strip(" ") for position in positions]
    merged = [
        (label, whole)
        for label, whole in zip(question.labels, written, strict=True)
        if len(whole) > len(label)
    ]
    if merged:
        label, whole = merged[0]
        yield (
            f"This tokenizer writes {whole!r} as one token, so the label {label!r} in its option line is not "
            f"the token that the model says ({len(merged)} of {len(positions)} labels). "
            "Another format may avoid it."
        )


def _unwanted(tokens: list[Token], tokenizer: PreTrainedTokenizerBase) -> Iterator[str]:
    special = [id_ for id_ in tokenizer.all_special_ids if id_ != tokenizer.unk_token_id]
    found = [token.id for token in tokens if not token.special and token.id in special]
    if found:
        name = tokenizer.convert_ids_to_tokens(found[0])
        yield f"The text holds {name!r}, which this tokenizer always reads as a special token."
