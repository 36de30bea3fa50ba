"""The roles that tokens play in a prompt, one line each. A token may play several, for example if merged."""

ROLES = {
    "bos": "the begin-of-sequence token that some tokenizers put first",
    "prelude": "the sentence that sets the scene",
    "shot": "an answered example before the question",
    "lead": 'what opens the question: "Question:"',
    "question": "the question's own text",
    "delimiter": "brackets or a full stop around a label in an option line",
    "label": "an option's label, in its option line",
    "label_correct": "the label of the correct option",
    "label_incorrect": "the label of another option",
    "content": "an option's content",
    "content_correct": "the content of the correct option",
    "content_incorrect": "the content of another option",
    "content_last": "the last token of an option's content",
    "newline": "a line's end",
    "newline_question": "the line's end after the question",
    "newline_correct": "the line's end after the correct option",
    "newline_incorrect": "the line's end after another option",
    "suffix": "everything after the options",
    "answer": 'the word "Answer" after the options',
    "colon": 'the colon after "Answer"',
    "open_bracket": "the bracket at the very end, after which the model says the label",
}
TEXT_ROLES = {
    "bos": "the begin-of-sequence token that some tokenizers put first",
    "final": "the last token, after which the model answers",
    "says_answer": "the answer itself, where the prompt says it",
    "says_distractor": "a distractor, where the prompt says it",
    "text": "any token of the prompt",
    "changed": "a token that is another one in the other prompt of the pair",
}
"""Of a prompt that is plain text. The first role of a token is the most telling one."""
LABELLED = {
    "label": "the label {label}",
    "content": "the content of the option labelled {label}",
    "newline": "the line's end after the option labelled {label}",
}


def roles_of(*, lists_options: bool) -> dict[str, str]:
    """The roles that tokens can have: of prompts that list their options, or of plain texts."""
    return ROLES if lists_options else TEXT_ROLES


def describe(role: str) -> str:
    """What a role means. `content_B` and the like belong to the option with that label, wherever it stands.

    Raises KeyError for a word that is no role.
    """
    if role in ROLES or role in TEXT_ROLES:
        return ROLES.get(role) or TEXT_ROLES[role]
    part, _, label = role.partition("_")
    return LABELLED[part].format(label=label)
