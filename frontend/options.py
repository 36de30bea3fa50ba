"""The closed lists of words that the address accepts; the wire has the same."""

SAMPLERS = ("swap_options", "diff_letter", "same_letter")
SPLITS = ("held_out", "train")
LABELS = ("letters", "random_letters", "numbers", "shuffled")
FORMATS = ("(A)", "A.")
VIEWS = ("attribution", "total", "direct", "indirect")
NODES = ("all", "attention", "residual", "queries", "keys", "values")
METRICS = (
    "centred_logit",
    "logit_difference",
    "letter_loss",
    "letter_probability",
    "letter_kl",
    "accuracy",
    "loss",
    "probability",
)
DIRECTIONS = ("noising", "denoising")
ROLES = (
    "label",
    "label_correct",
    "label_incorrect",
    "content",
    "content_correct",
    "content_incorrect",
    "newline",
    "question",
    "suffix",
)
TEXT_ROLES = ("changed", "says_answer", "says_distractor")  # of tokens of plain texts
POSITIONS = ("final", "differing", "all", *ROLES, *TEXT_ROLES)
SOURCES = ("counterfactual", "mean", "zero")
COMPUTED = ("subspace", "low_rank", "steer", "mutations", "nth_item", "pseudocode", "probes")
PATTERNS = ("every_token", "thumbnails")
SECTIONS = (
    *PATTERNS,
    *("where", "paths", "repair", "knock", "edges", "curves"),
    *COMPUTED,
    *("bias", "qk", "receivers"),
)
PAGES = {"/heads": "heads", "/training": "training", "/compare": "compare", "/prompts": "prompts"}
SORTS = ("strength", "lowest", "highest", "node")
WEIGHTINGS = ("raw", "value_weighted", "output_weighted", "signed")
MUTATIONS = (
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
)
AT = ("label", "delimiter", "newline", "content_last")
ROPES = ("post", "pre")
CENTRINGS = ("none", "global", "prompt")
CLOUDS = ("both", "queries", "keys")
FLAT = ("12", "13", "23")
KINDS = ("q", "k", "v", "qk", "qkv")
STEER_VECTORS, STEER_MODES = ("query", "keys"), ("swap", "move", "remove")
BARS = ("letter_loss", "accuracy", "centred_logit")
PROBED = ("label", "content_last", "newline", "final")
