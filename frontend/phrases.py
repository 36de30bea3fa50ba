"""Sentences about a measurement: what was patched, where, from what, and which number that changes."""

import re
from collections.abc import Mapping
from typing import Any

METRIC_NAME = {
    "centred_logit": "centred logit",
    "logit_difference": "logit difference",
    "letter_loss": "loss, letters only",
    "letter_probability": "probability, letters only",
    "letter_kl": "KL, letters only",
    "accuracy": "accuracy",
    "loss": "loss, whole vocabulary",
    "probability": "probability, whole vocabulary",
}
METRIC_PHRASE = {
    "centred_logit": "the correct letter’s centred logit",
    "logit_difference": "the logit of the correct letter less that of the corrupt prompt’s letter",
    "letter_loss": "the loss over the letters (−log probability of the correct one)",
    "letter_probability": "the correct letter’s probability among the letters",
    "letter_kl": "the KL divergence of the letters from the run that is edited",
    "accuracy": "accuracy (1 where the correct letter is on top)",
    "loss": "the loss over the whole vocabulary (−log probability of the correct letter)",
    "probability": "the correct letter’s probability over the whole vocabulary",
}
METRIC_UNIT = {
    "centred_logit": "logit",
    "logit_difference": "logit",
    "letter_loss": "nat",
    "letter_probability": "fraction",
    "letter_kl": "nat",
    "accuracy": "fraction",
    "loss": "nat",
    "probability": "fraction",
}
UNIT_SHORT = {"logit": "logits", "nat": "nats", "fraction": ""}

NODES_NAME = {
    "all": "heads and MLPs",
    "attention": "attention blocks",
    "residual": "residual stream",
    "queries": "queries of heads",
    "keys": "keys of heads",
    "values": "values of heads",
}
NODE_WORD = {
    "all": "one node",
    "attention": "all attention of one layer",
    "residual": "the residual stream before one layer",
    "queries": "one head’s query",
    "keys": "one head’s key",
    "values": "one head’s value",
}
DIRECTION_NAME = {
    "noising": "noising: break the clean run",
    "denoising": "denoising: repair the corrupt run",
}
SOURCE_NAME = {"counterfactual": "the other prompt", "mean": "a mean over prompts", "zero": "zero"}
POSITIONS_NAME = {
    "final": "final position",
    "differing": "positions that differ",
    "all": "all positions",
    "label": "all labels",
    "label_correct": "label, correct",
    "label_incorrect": "labels, incorrect",
    "content": "all contents",
    "content_correct": "content, correct",
    "content_incorrect": "contents, incorrect",
    "newline": "line ends",
    "question": "question",
    "suffix": "after the options",
    "changed": "changed tokens",
    "says_answer": "the answer itself",
    "says_distractor": "distractors themselves",
}
POSITIONS_PHRASE = {
    "final": "at the final position",
    "differing": "at every position where the prompts differ",
    "all": "at all positions",
    "label": "at all labels",
    "label_correct": "at the correct label",
    "label_incorrect": "at the incorrect labels",
    "content": "at all contents",
    "content_correct": "at the content of the correct option",
    "content_incorrect": "at the contents of the incorrect options",
    "newline": "at all line ends",
    "question": "at the question’s tokens",
    "suffix": "at everything after the options",
    "changed": "at the tokens that the other prompt does not have",
    "says_answer": "where the prompt says the answer",
    "says_distractor": "where the prompt says a distractor",
}
LOWER_IS_BETTER = ("letter_loss", "letter_kl", "loss")
ONLY_WRITES = "exists for heads and MLPs at the final position only"

Choices = Mapping[str, str]


def is_text_set(prompts: str) -> bool:
    """Whether a set, by its id, holds plain texts: their answers are words, not letters of options."""
    return prompts == "indirect-object" or prompts.startswith("text-")


def is_finished(prompts: str) -> bool:
    """Whether a set, by its id, holds pairs that are taken as they are, without a layout or a sampler."""
    return is_text_set(prompts) or prompts.startswith("pairs-")


def for_set(sentence: str, prompts: str) -> str:
    """A sentence about answers that are letters, as it reads for this set of prompts."""
    if not is_text_set(prompts):
        return sentence
    return re.sub("[Ll]etter", lambda found: "Answer" if found[0][0] == "L" else "answer", sentence)


def set_of(body: Mapping[str, Any]) -> str:
    """The set of prompts that a result is about."""
    return body.get("spec", {}).get("prompts", {}).get("set", "")


def patched(choices: Choices) -> str:
    """`patched from the corrupt prompt at the final position`."""
    corrupt, clean = ("clean", "corrupt") if choices["direction"] == "denoising" else ("corrupt", "clean")
    how = {
        "counterfactual": f"patched from the {corrupt} prompt",
        "mean": f"replaced in the {clean} run by its mean over other prompts,",
        "zero": f"set to zero in the {clean} run",
    }
    return f"{how[choices['source']]} {POSITIONS_PHRASE[choices['positions']]}"


def colours(metric: str) -> str:
    """What red and blue mean."""
    better = " A lower one is better." if metric in LOWER_IS_BETTER else ""
    return f"Red lowers it, blue raises it.{better}"


def view_sentence(view: str, choices: Choices, nodes: str = "all") -> str:
    """What the colour of the map means, in words and units."""
    metric = choices["metric"]
    phrase, unit = METRIC_PHRASE[metric], METRIC_UNIT[metric]
    if view == "attribution":
        return (
            "Logits that one node’s write adds directly to the correct letter’s centred logit on the clean "
            "prompt, at the final position. Blue adds, red takes away."
        )
    if view == "total":
        what = f"Change of {phrase}, {in_unit(unit)}, when {NODE_WORD[nodes]} is {patched(choices)}."
        return f"{what} {colours(metric)}"
    if view == "direct":
        return (
            f"The part of the total effect on {phrase}, {in_unit(unit)}, that reaches the logits through the "
            f"residual stream alone, all other nodes frozen. {colours(metric)}"
        )
    return (
        f"Total effect minus direct effect on {phrase}, {in_unit(unit)}: what other nodes carry on. "
        f"{colours(metric)}"
    )


def in_unit(unit: str) -> str:
    """`in logits`, `as a fraction of 1`."""
    return "as a fraction of 1" if unit == "fraction" else f"in {UNIT_SHORT.get(unit, unit)}"


def with_unit(value: str, unit: str) -> str:
    """`−2.66 logits`; a fraction has no unit."""
    return f"{value} {UNIT_SHORT.get(unit, unit)}".strip()
