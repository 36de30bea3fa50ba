"""What can go wrong in an analysis, as sentences for the person who asked.

AnalysisError
├── UnsupportedModel     the architecture cannot be read exactly
├── BadQuestion          a question that cannot be asked (no options, empty text, ...)
├── UnknownWord          a word that is not in a small model's vocabulary
├── UnresolvedLabel      an option label that is not one token after this prompt
├── PromptTooLong        more tokens than the model or the limit allows
├── MisalignedPrompts    prompts that cannot share one run
├── UnknownNode          a layer or head that the model does not have
└── NonFinite            a NaN or an infinity in the model's values
"""


class AnalysisError(ValueError):
    """A request that is understood but cannot be computed; the message says what to do about it."""


class UnsupportedModel(AnalysisError):
    """The architecture is not one that headscope reads exactly."""


class BadQuestion(AnalysisError):
    """A question that cannot be asked: no text, too few options, no such correct option."""


class UnknownWord(AnalysisError):
    """A word that the model's tokenizer has no token for."""


class UnresolvedLabel(AnalysisError):
    """An option label that is not a single token in the context where the model must say it."""


class PromptTooLong(AnalysisError):
    """A prompt with more tokens than the limit."""


class MisalignedPrompts(AnalysisError):
    """Prompts that cannot share one run, for example because their lengths differ."""


class UnknownNode(AnalysisError):
    """A layer or head that the model does not have."""


class NonFinite(AnalysisError):
    """A NaN or an infinity where a number was expected; names the place."""
