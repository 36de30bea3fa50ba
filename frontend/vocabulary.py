"""Names of what can be asked about the computation of one head, as the page writes them."""

MUTATION_NAME = {
    "none": "unchanged",
    "shuffled": "shuffled labels",
    "random_letters": "random letters",
    "ordered_letters": "random letters in order",
    "numbers": "numbers",
    "lower_case": "lower case",
    "roman": "Roman numerals",
    "dot": "full stops",
    "bracket": "square brackets",
    "colon": "colons",
    "semicolon": "semicolons for line ends",
    "no_prelude": "without the first sentence",
    "prelude": "with a first sentence",
    "permuted": "permuted options",
    "options_first": "options before the question",
    "two_options": "two options",
    "three_options": "three options",
}
OVERLAY_NAME = {**MUTATION_NAME, "none": "none"}
AT_NAME = {
    "label": "the label",
    "delimiter": "the token after the label",
    "newline": "the end of the line",
    "content_last": "the last content token",
}
ROPE_NAME = {"post": "rotated", "pre": "not rotated"}
CENTRING_NAME = {"none": "none", "global": "mean of all", "prompt": "mean of each prompt"}
CLOUD_NAME = {"both": "Queries and keys", "queries": "Queries", "keys": "Keys"}
FLAT_NAME = {"12": "1 and 2", "13": "1 and 3", "23": "2 and 3"}
KIND_NAME = {"q": "Q", "k": "K", "v": "V", "qk": "Q and K", "qkv": "Q, K and V"}
KIND_PHRASE = {
    "q": "its query",
    "k": "its keys",
    "v": "its values",
    "qk": "its query and keys",
    "qkv": "its query, keys and values",
}
STEER_VECTOR_NAME = {"query": "its query", "keys": "its keys"}
STEER_MODE_NAME = {"swap": "swapped in", "move": "moved towards", "remove": "removed"}
BARS_NAME = {"letter_loss": "Loss", "accuracy": "Accuracy", "centred_logit": "Centred logit"}
ROLE_NAME = {
    "label": "at the labels",
    "content_last": "at the last content tokens",
    "newline": "at the line ends",
    "final": "at the final position",
}
