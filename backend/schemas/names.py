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
]
Split = Literal["held_out", "train"]
LabelStyle = Literal["letters", "random_letters", "numbers", "shuffled"]
Format = Literal["(A)", "A."]
Sampler = Literal["swap_options", "diff_letter", "same_letter"]
Priority = Literal["click", "sweep", "background"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
ModelState = Literal["absent", "loading", "ready", "failed"]
