"""The closed lists of words that the wire accepts; a test holds them against the analysis package."""

from typing import Literal

AnalysisName = Literal[
    "prompts",
    "gate",
    "attribution",
    "effects",
    "position_effects",
    "curves",
    "paths",
    "edge_estimates",
    "self_repair",
    "knock_out",
    "attention",
    "token_attention",
    "pattern",
    "thumbnails",
    "categories",
    "qk_scores",
    "subspace",
    "low_rank",
    "mutations",
    "nth_item",
    "bias",
    "steer",
    "probes",
    "pseudocode",
    "checkpoint",
]
Split = Literal["held_out", "train"]
LabelStyle = Literal["letters", "random_letters", "numbers", "shuffled"]
Format = Literal["(A)", "A."]
Sampler = Literal["swap_options", "diff_letter", "same_letter"]
MutationName = Literal[
    "none",
    "shuffled",
    "random_letters",
    "ordered_letters",
    "numbers",
    "lower_case",
    "roman",
    "dot",
    "bracket",
    "colon",
    "semicolon",
    "no_prelude",
    "prelude",
    "permuted",
    "options_first",
    "two_options",
    "three_options",
]
Priority = Literal["click", "sweep", "background"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
ModelState = Literal["absent", "loading", "ready", "failed"]
