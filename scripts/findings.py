"""Ask a running server for what its analyses find on the demo models, and write it beside the paper's claims.

    headscope serve --port 8050
    python scripts/findings.py http://127.0.0.1:8050 --out docs/findings.md

No number in the page is written by hand. What the server has stored is not computed again.
"""

import argparse
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

Json = dict[str, Any]
WAIT_S = 600
CLAIMS = Path(__file__).with_name("claims.toml")
EVIDENCE = {"A": "from its abstract or its authors' post, A", "S": "second-hand, S"}
FORMS = ("none", "shuffled", "random_letters", "numbers")


@dataclass(frozen=True)
class Subject:
    """A model, the questions that it is asked, how many, and which token of an option its heads look at."""

    model: str
    set: str
    n: int
    at: str


SMOLLM = Subject("smollm2-mcq", "stated-facts", 32, "label")
TINY = (
    Subject("mcq-tiny-letters-1000", "tiny-facts", 32, "content_last"),
    Subject("mcq-tiny-random-1700", "tiny-facts", 32, "content_last"),
)
SUBJECTS = (SMOLLM, *TINY)


class Server:
    """Results by spec, waited for."""

    def __init__(self, address: str) -> None:
        self._http = httpx2.Client(base_url=address, timeout=60.0)

    def ask(self, subject: Subject, analysis: str, **parameters: Any) -> Json:
        """A complete result; raises `RuntimeError` with the server's own words where it fails."""
        prompts = {"set": subject.set, "n": subject.n}
        spec = {"schema": 1, "analysis": analysis, "model": subject.model, "prompts": prompts}
        body = self._json("POST", "/api/results", json=spec | {"parameters": parameters})
        key, end = body["key"], time.monotonic() + WAIT_S
        while "job" in body:
            if time.monotonic() > end:
                raise RuntimeError(f"{analysis} on {subject.model} took more than {WAIT_S} s.")
            time.sleep(0.5)
            job = self._http.get(f"/api/jobs/{key}")
            if job.status_code == 200 and job.json()["state"] in ("failed", "cancelled"):
                raise RuntimeError(f"{analysis} on {subject.model}: {job.json()['error']}")
            stored = self._http.get(f"/api/results/{key}")
            body = stored.json() if stored.status_code == 200 else body
        return body

    def _json(self, method: str, path: str, **more: Any) -> Json:
        answer = self._http.request(method, path, **more)
        if answer.status_code >= 400:
            raise RuntimeError(answer.json()["error"]["message"])
        return answer.json()


def at(result: Json, table: str, *names: str) -> tuple[float | None, float | None, float | None]:
    """(mean, low, high) at a place named by its coordinates, in the order of the table's axes."""
    found = result["tables"][table]
    parts: list[Any] = [found["mean"], found.get("low"), found.get("high")]
    for axis, name in zip(found["axes"], names, strict=True):
        labels = [
            str(one["label"]) if isinstance(one, dict) else str(one) for one in coordinates(result, axis)
        ]
        place = labels.index(name)
        parts = [None if part is None else part[place] for part in parts]
    return parts[0], parts[1], parts[2]


def coordinates(result: Json, axis: str) -> list[Any]:
    """What stands along an axis."""
    return result["coordinates"][axis]


def number(value: tuple[float | None, float | None, float | None], *, percent: bool = False) -> str:
    """A number as people read it, its interval in brackets; a dash where there is none."""
    if value[0] is None:
        return "–"

    def show(x: float) -> str:
        return f"{100 * x:.0f} %" if percent else f"{x:.2f}".replace("-", "−")

    if value[1] is None or value[2] is None:
        return show(value[0])
    return f"{show(value[0])} ({show(value[1])} to {show(value[2])})"


def link(result: Json, text: str) -> str:
    """A number and the stored result that it comes from, by its key."""
    return f"[{text}](http://127.0.0.1:8050/f/{result['key']})"


def best_heads(server: Server, subject: Subject) -> list[str]:
    """Up to three correct-letter heads, most attribution first; without any, the three that write most."""
    found = server.ask(subject, "categories")
    net = {
        verdict["head"]: at(found, "net_attribution", verdict["head"])[0]
        for verdict in found["details"]["verdicts"]
    }
    order = sorted(net, key=lambda head: -(net[head] or 0.0))
    named = [one["head"] for one in found["details"]["verdicts"] if one["category"] == "correct_letter"]
    return [head for head in order if head in named][:3] or order[:3]


def layer_head(label: str) -> Json:
    """L23H0 as parameters."""
    layer, head = label[1:].split("H")
    return {"layer": int(layer), "head": int(head)}


def task(server: Server, subject: Subject) -> list[str]:
    gate = server.ask(subject, "gate")
    right = number(at(gate, "accuracy_by_letter"), percent=True)
    by_content = number(at(gate, "accuracy_by_content"), percent=True)
    return [link(gate, right), by_content, gate["details"]["standing"]]


def few_nodes(server: Server, subject: Subject) -> list[str]:
    found = server.ask(subject, "effects")
    nodes = found["details"]["ranking"]["nodes"]
    heads = [node for node in nodes if "H" in node]
    return [
        link(found, f"{len(nodes)} of {len(coordinates(found, 'node'))}"),
        str(len(heads)),
        " ".join(nodes[:6]),
    ]


def kinds(server: Server, subject: Subject) -> list[str]:
    found = server.ask(subject, "categories")
    names = [verdict["category"] for verdict in found["details"]["verdicts"]]
    counts = [
        f"{category['title'].lower()} {names.count(category['name'])}"
        for category in found["details"]["categories"]
    ]
    return [link(found, ", ".join(counts)), " ".join(best_heads(server, subject))]


def hidden_workers(server: Server, subject: Subject) -> list[str]:
    found = server.ask(subject, "effects")
    heads = [node["label"] for node in coordinates(found, "node") if node["head"] is not None]

    def indirect(head: str) -> float:
        return abs(at(found, "indirect_effect", head)[0] or 0.0)

    most = max(heads, key=indirect)
    return [
        link(found, most),
        number(at(found, "total_effect", most)),
        number(at(found, "direct_effect", most)),
        number(at(found, "indirect_effect", most)),
    ]


def three_dimensions(server: Server, subject: Subject) -> list[str]:
    heads = best_heads(server, subject)
    found = server.ask(subject, "low_rank", heads=heads, kinds=["qk", "qkv"], ranks=[3], at=subject.at)
    values = [
        at(found, "recovery", kind, basis, "3") for kind in ("qk", "qkv") for basis in ("top", "random")
    ]
    loss = [number(at(found, name, "letter_loss")) for name in ("clean", "ablated")]
    return [
        " ".join(heads),
        link(found, number(values[0], percent=True)),
        *(number(one, percent=True) for one in values[1:]),
        *loss,
    ]


def separable(server: Server, subject: Subject) -> list[str]:
    head = best_heads(server, subject)[0]
    found = server.ask(subject, "subspace", **layer_head(head), at=subject.at)
    clusters = found["details"]["nearest_centroid"]
    explained = [
        number(at(found, "spectrum", vector, centring, "3"), percent=True)
        for vector, centring in (("query", "global"), ("keys", "prompt"), ("values", "prompt"))
    ]
    right = [
        number((clusters[name], None, None), percent=True) for name in ("query_by_correct", "keys_by_label")
    ]
    return [head, link(found, right[0]), right[1], *explained]


def place_or_letter(server: Server, subject: Subject) -> list[str]:
    heads = best_heads(server, subject)
    found = server.ask(subject, "nth_item", heads=heads)
    first = [
        number(at(found, table, heads[0], score), percent=True)
        for table in ("keys", "queries")
        for score in ("position", "letter")
    ]
    whole = [number(at(found, "model", score), percent=True) for score in ("position", "letter")]
    return [heads[0], link(found, first[0]), *first[1:], *whole]


def forms(server: Server, subject: Subject) -> list[str]:
    heads = best_heads(server, subject)
    found = server.ask(subject, "mutations", heads=heads, mutations=list(FORMS), at=subject.at)
    return [
        link(found, " ".join(heads)),
        *(number(at(found, "bars", "accuracy", form, "clean"), percent=True) for form in FORMS),
    ]


def forms_at_rank_three(server: Server, subject: Subject) -> list[str]:
    heads = best_heads(server, subject)
    found = server.ask(subject, "mutations", heads=heads, mutations=list(FORMS), at=subject.at)
    rows = []
    for form in FORMS:
        bars = [at(found, "bars", "centred_logit", form, bar)[0] for bar in ("clean", "low_rank", "ablated")]
        rows.append(" / ".join(number((bar, None, None)) for bar in bars))
    return [link(found, " ".join(heads)), *rows]


def as_code(server: Server, subject: Subject) -> list[str]:
    head = best_heads(server, subject)[0]
    found = server.ask(subject, "pseudocode", **layer_head(head), mutations=list(FORMS))
    agreement = [number(at(found, "agreement", form), percent=True) for form in FORMS]
    return [link(found, head), found["details"]["reads"].replace("_", " "), *agreement]


LOOKS: dict[str, Callable[[Server, Subject], list[str]]] = {
    look.__name__: look
    for look in (
        task,
        few_nodes,
        kinds,
        hidden_workers,
        three_dimensions,
        separable,
        place_or_letter,
        forms,
        forms_at_rank_three,
        as_code,
    )
}


def section(server: Server, point: Json) -> list[str]:
    """One claim and what every model shows; a failure is told in its place."""
    source, columns = EVIDENCE[point["evidence"]], point["columns"]
    lines = [
        f"## {point['title']}",
        "",
        f"**The paper** ({source}): {point['claim']}",
        "",
        point["reading"],
        "",
    ]
    lines += ["| model | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for subject in SUBJECTS:
        began = time.monotonic()
        try:
            cells = LOOKS[point["look"]](server, subject)
        except (RuntimeError, KeyError, ValueError) as error:
            cells = [f"not measured: {error}", *[""] * (len(columns) - 1)]
        lines.append(f"| {subject.model} | " + " | ".join(cells) + " |")
        print(f"{point['title']}: {subject.model}, {time.monotonic() - began:.0f} s", flush=True)
    return [*lines, ""]


def page(server: Server) -> str:
    """The whole text."""
    claims = tomllib.loads(CLAIMS.read_text(encoding="utf-8"))
    sections = [line for point in claims["point"] for line in section(server, point)]
    return "\n".join([claims["introduction"].format(n=SMOLLM.n), *sections])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("address", help="where the server is, for example http://127.0.0.1:8050")
    parser.add_argument("--out", type=Path, default=Path("docs/findings.md"))
    wanted = parser.parse_args()
    wanted.out.write_text(page(Server(wanted.address)), encoding="utf-8")


if __name__ == "__main__":
    main()
