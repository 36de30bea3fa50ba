"""Tokenizers of every common kind, trained on the spot on a few lines."""

from collections.abc import Callable

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

LINES = [
    "Question: The bike is yellow. What color is the bike?\n",
    "(A) gray\n(B) yellow\n(C) pink\n(D) red\nAnswer: (A)\n",
    "A. gray\nB. yellow\nC. pink\nD. red\nAnswer: B\n",
    "1. gray\n2. yellow\n3. pink\n4. red\nAnswer: 3 (1) (2)\n",
    "A highly knowledgeable and intelligent AI answers multiple-choice questions about colors.\n\n",
    *(
        f"({letter}) {letter}. {letter}\n" * 2 + f"Answer: {letter}\n" * 2
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    ),
]
SPECIAL = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{value:02X}>" for value in range(256)]
ALPHABET = pre_tokenizers.ByteLevel.alphabet()
LLAMA3 = r"""[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""


def _wrapped(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


def byte_level(*, trim_offsets: bool = False, merges: int = 500) -> PreTrainedTokenizerFast:
    """As in GPT-2 and SmolLM2; RoBERTa's variant trims spaces off the offsets."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim_offsets)
    trainer = trainers.BpeTrainer(
        vocab_size=len(ALPHABET) + merges,
        initial_alphabet=ALPHABET,
        special_tokens=SPECIAL,
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return _wrapped(tokenizer)


def line_end_merging(more: tuple[str, ...] = ()) -> PreTrainedTokenizerFast:
    """As in Llama 3 and Qwen: a full stop and the line's end, or a bracket and a word, may be one token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=800, initial_alphabet=ALPHABET, special_tokens=SPECIAL, show_progress=False
    )
    lines = [line.replace("(", "") for line in LINES]
    tokenizer.train_from_iterator([*lines, "It is red.\n" * 3, "What?\n" * 3, *more], trainer)
    return _wrapped(tokenizer)


def metaspace_bpe() -> PreTrainedTokenizerFast:
    """As in Llama 2: ▁ for spaces, one before the text, unknown characters as bytes, a token that begins."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split("▁", "merged_with_next"),
            pre_tokenizers.Split("\n", "isolated"),
            pre_tokenizers.Punctuation("isolated"),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=[*SPECIAL, *BYTES], show_progress=False)
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    return _wrapped(tokenizer)


def metaspace_unigram() -> PreTrainedTokenizerFast:
    """As in T5 and XLNet: a unigram model on normalised text; here it also ends every text with a token."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation("isolated")]
    )
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=220, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return _wrapped(tokenizer)


def bracket_merging() -> PreTrainedTokenizerFast:
    """The planted trap: "(A" is one token, also at the end of a prompt."""
    vocabulary = {letter: index for index, letter in enumerate([*SPECIAL, *sorted(ALPHABET), "(A", "(B"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[("(", "A"), ("(", "B")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return _wrapped(tokenizer)


KINDS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "byte-level BPE": byte_level,
    "byte-level BPE with trimmed offsets": lambda: byte_level(trim_offsets=True),
    "single bytes": lambda: byte_level(merges=0),
    "line ends merged": line_end_merging,
    "metaspace BPE with byte fallback": metaspace_bpe,
    "metaspace unigram": metaspace_unigram,
}
