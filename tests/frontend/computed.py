"""Results of what a head computes, in the shapes of the API: planted, so that a test knows what they show."""

import math
from typing import Any

from tests.frontend.conftest import result, table

Json = dict[str, Any]
LETTERS = ("A", "B", "C", "D")


def fraction(axes: list[str], mean: Any, low: Any = None, high: Any = None) -> Json:
    return table(axes, mean, low, high) | {"unit": "fraction"}


def questions(n: int, labels: str = "ABCD") -> list[Json]:
    """Prompts whose correct option goes round."""
    return [
        {
            "index": at,
            "correct": at % 4,
            "label": labels[at % 4],
            "labels": list(labels),
            "question": f"The ball is colour {at}. What colour is the ball?",
        }
        for at in range(n)
    ]


def _around(letter: int, at: int, size: float) -> list[float]:
    angle = math.pi / 4 + letter * math.pi / 2
    off = [0.35 * math.sin(7.1 * at + axis + letter) for axis in range(3)]
    return [
        size * math.cos(angle) + off[0],
        size * math.sin(angle) + off[1],
        off[2] + (0.8 if letter % 2 else -0.8),
    ]


def subspace_result(n: int = 8, mutation: bool = False, **parts: Any) -> Json:
    """Four clusters of queries and of keys, one for each letter; three dimensions hold nearly everything."""
    shares = [round(1 - math.exp(-0.9 * rank), 4) for rank in range(1, 65)]
    query = [_around(at % 4, at, 3.0) for at in range(n)]
    keys = [[_around(option, at + 10 * option, 2.0) for option in range(4)] for at in range(n)]
    pattern = [[0.85 if option == at % 4 else 0.03 for option in range(4)] for at in range(n)]
    over: Json = {}
    coordinates: Json = {}
    if mutation:
        coordinates = {
            "pair_mutated": questions(n, "CADB"),
            "answer_mutated": [f"option {at}" for at in range(4)],
        }
        moved = [[x + 0.4 for x in place] for place in query]
        over = {
            "query_mutated": table(["pair_mutated", "dimension"], [None, *moved[1:]]),
            "keys_mutated": table(["pair_mutated", "answer_mutated", "dimension"], keys),
        }
    by_option = ["pair", "answer", "dimension"]
    return result(
        coordinates={
            "pair": questions(n),
            "answer": list(LETTERS),
            "correct": list(LETTERS),
            "vector": ["query", "keys", "values"],
            "centring": ["none", "global", "prompt"],
            "rank": list(range(1, 65)),
            "dimension": ["1", "2", "3"],
            **coordinates,
        },
        tables={
            "spectrum": fraction(["vector", "centring", "rank"], [[shares] * 3] * 3),
            "query": table(["pair", "dimension"], query),
            "keys": table(by_option, keys),
            "values": table(by_option, keys),
            "scores": table(
                ["correct", "answer"], [[9.0 if i == j else -2.0 for j in range(4)] for i in range(4)]
            ),
            "pattern": fraction(["pair", "answer"], pattern),
            "rebuilt": fraction(["pair", "answer"], [[0.8 * x for x in row] for row in pattern]),
            **over,
        },
        details={
            "score_variance_share": 0.93,
            "nearest_centroid": {
                "query_by_correct": 0.96,
                "keys_by_label": 0.75,
                "keys_by_correctness": 0.88,
            },
            "chance": {"query_by_correct": 0.25, "keys_by_label": 0.25, "keys_by_correctness": 0.5},
        },
        n=n,
        n_done=n,
        **parts,
    )


def low_rank_result(**parts: Any) -> Json:
    """The more dimensions, the better; random ones do worse; the baselines have fewer ranks."""
    ranks = [0, 1, 2, 3, 4, 8, 16, 32, 64]
    kinds, bases = ["q", "k", "v", "qk", "qkv"], ["top", "random", "bottom"]
    metrics = [("centred_logit", "logit"), ("letter_loss", "nat"), ("accuracy", "fraction")]
    metrics.append(("attention_on_correct", "fraction"))

    def value(metric: int, kind: int, basis: int, rank: int) -> float | None:
        if basis and rank in (4, 32):
            return None
        speed = (1.2, 0.12, 0.05)[basis] * (1 - 0.1 * kind)
        good = 1 - math.exp(-speed * rank) if rank < 64 else 1.0
        return (0.4 + 3.2 * good, 1.4 - 1.3 * good, 0.3 + 0.68 * good, 0.9 * good)[metric]

    def at(shift: float) -> Any:
        cube = [
            [[[value(m, k, b, rank) for rank in ranks] for b in range(len(bases))] for k in range(len(kinds))]
            for m in range(len(metrics))
        ]
        return [
            [[[x if x is None else x + shift for x in row] for row in kind] for kind in metric]
            for metric in cube
        ]

    return result(
        coordinates={
            "metric": [{"label": name, "unit": unit} for name, unit in metrics],
            "kind": kinds,
            "basis": bases,
            "rank": ranks,
        },
        tables={
            "measured": table(["metric", "kind", "basis", "rank"], at(0.0), at(-0.05), at(0.05))
            | {"unit": ""},
            "clean": table(["metric"], [3.6, 0.1, 0.98, 0.9]) | {"unit": ""},
            "ablated": table(["metric"], [0.4, 1.4, 0.3, None]) | {"unit": ""},
            "recovery": fraction(
                ["kind", "basis", "rank"],
                [[[value(2, k, b, rank) for rank in ranks] for b in range(3)] for k in range(5)],
            ),
        },
        details={"heads": ["L1H0"], "d_head": 64, "chance": {"letter_loss": 1.386, "accuracy": 0.25}},
        **parts,
    )


def steer_result(**parts: Any) -> Json:
    """Attention and letters follow the corrupt prompt."""
    attention = [[0.83, 0.05, 0.02], [0.1, 0.7, 0.05], [0.04, 0.86, 0.02]]
    letters = [[0.95, 0.02, 0.015], [0.4, 0.55, 0.025], [0.02, 0.96, 0.01]]
    return result(
        coordinates={
            "world": ["clean", "steered", "corrupt"],
            "target": ["correct", "source_correct", "other"],
        },
        tables={
            "attention": fraction(["world", "target"], attention),
            "letters": fraction(["world", "target"], letters),
            "flips": fraction([], 0.62, 0.5, 0.75),
            "attention_flips": fraction([], 0.91, 0.8, 1.0),
        },
        **parts,
    )


MUTATION_TITLES = (
    *("none", "shuffled", "random_letters", "ordered_letters", "numbers", "lower_case", "roman", "dot"),
    *("bracket", "colon", "semicolon", "no_prelude", "prelude", "permuted", "options_first", "two_options"),
    "three_options",
)


def mutations_result(**parts: Any) -> Json:
    """Bars for every mutation; Roman numerals are not single tokens and have none."""
    bars = ["clean", "ablated", "full_rank", "low_rank", "random", "chance"]
    losses = [0.1, 1.1, 0.1, 0.25, 0.95, 1.386]

    def row(at: int, kind: int) -> list[float | None]:
        if MUTATION_TITLES[at] == "roman":
            return [None] * 6
        more = 0.06 * at
        of = {0: [x + more * (i < 5) for i, x in enumerate(losses)], 1: [0.98, 0.4, 0.98, 0.9, 0.5, 0.25]}
        return [*of.get(kind, [3.6, 0.5, 3.6, 3.1, 0.8, 0.0])]

    mean = [[row(at, kind) for at in range(len(MUTATION_TITLES))] for kind in range(3)]
    prompts = [
        {
            "text": "Question: The ball is red. What colour is the ball?\n(C) blue\n(A) red\nAnswer: (",
            "labels": ["C", "A", "D", "B"],
            "correct": 1,
            "chosen": at % 2,
            "letter_loss": 0.2 + at,
        }
        for at in range(4)
    ]
    return result(
        coordinates={
            "mutation": [
                {
                    "label": name,
                    "title": name.replace("_", " ").capitalize(),
                    "example": "(C)(A)(D)(B)",
                    "isolates": "letters and their order",
                }
                for name in MUTATION_TITLES
            ],
            "metric": ["letter_loss", "accuracy", "centred_logit"],
            "bar": bars,
        },
        tables={"bars": table(["metric", "mutation", "bar"], mean) | {"unit": ""}},
        details={
            "prompts": {"shuffled": prompts},
            "heads": ["L1H0"],
            "missing": {"roman": "II is not one token."},
        },
        **parts,
    )


def nth_item_result(**parts: Any) -> Json:
    """A head that counts lines."""
    return result(
        coordinates={
            "head": [{"label": "L1H0", "layer": 1, "head": 0}],
            "score": ["position", "letter"],
            "target": ["nth_line", "letter_line", "stays"],
        },
        tables={
            "keys": fraction(["head", "score"], [[0.97, 0.26]], [[0.95, 0.2]], [[0.99, 0.31]]),
            "queries": fraction(["head", "score"], [[0.9, 0.3]]),
            "causal": fraction(["head", "target"], [[0.8, 0.1, 0.1]]),
            "model": fraction(["score"], [0.7, 0.2]),
        },
        details={"chance": 0.25},
        **parts,
    )


def pseudocode_result(**parts: Any) -> Json:
    """An algorithm that agrees nearly always."""
    return result(
        coordinates={"mutation": ["none", "shuffled"]},
        tables={
            "agreement": fraction(["mutation"], [0.98, 0.91]),
            "divergence": table(["mutation"], [0.05, 0.2]) | {"unit": "nat"},
        },
        details={
            "code": "def attends_to(options, correct):\n    n = options.index(correct)\n    return line(n)\n",
            "reads": "nth_item",
            "candidates": {
                "nth_item": {"agreement": 0.95, "divergence": 0.1},
                "letter": {"agreement": 0.4, "divergence": None},
            },
            "chance": 0.25,
        },
        **parts,
    )


def probes_result(**parts: Any) -> Json:
    """The line is known early, the symbol late."""
    position = [0.25, 0.6, 0.9, 0.95]
    symbol = [0.25, 0.3, 0.5, 0.9]
    return result(
        coordinates={"layer": [0, 1, 2, 3], "target": ["position", "symbol"]},
        tables={
            "accuracy": fraction(
                ["layer", "target"], [list(pair) for pair in zip(position, symbol, strict=True)]
            )
        },
        details={"chance": 0.25},
        **parts,
    )


RESULTS = {
    "low_rank": low_rank_result,
    "steer": steer_result,
    "mutations": mutations_result,
    "nth_item": nth_item_result,
    "pseudocode": pseudocode_result,
    "probes": probes_result,
}
