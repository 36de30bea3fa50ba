"""A whole investigation as one zip: a page in which heads still click, the numbers, and how it was made."""

import asyncio
import io
import re
import zipfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from frontend import specs
from frontend.addresses import name_of, state_of
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.kinds import KINDS, kind_of
from frontend.figures.texts import title
from frontend.nodes import Node
from frontend.sheets import sheet
from frontend.state import State

Json = Mapping[str, Any]
ORDER = {name: at for at, name in enumerate(KINDS)}
OWNER = ("sender", "node")  # parameters that name the node a result is about
NAME = re.compile(r"[^A-Za-z0-9._-]+")
README = """headscope investigation: {name}

Open index.html in a browser; it needs no server and asks nobody for anything. Choose a node on the map
with a click, or with the arrow keys and Enter. An address such as index.html#L23H0 opens a head.

index.html     the map, and everything that was computed for its nodes
plotly.min.js  draws the figures
data/          every result as the API sends it: tables with their axes, spec, provenance
tables/        the same numbers as CSV, a row for every value
notes.txt      notes on nodes, where there are any

Every result has a key, the SHA-256 of what was asked for. To compute one again, post the "spec" of its
file to /api/results of a headscope server, or open /f/<key> there.

{keys}
"""


@dataclass(frozen=True)
class Found:
    """One stored result: its bytes as they are stored, what is in them, and what it is called."""

    raw: bytes
    body: Json

    @property
    def key(self) -> str:
        """Of the result."""
        return self.body["key"]

    @property
    def analysis(self) -> str:
        """Its analysis by name."""
        return name_of(self.body["spec"])

    @property
    def title(self) -> str:
        """What it is called, with the question where it is about one."""
        index = self.body["spec"]["prompts"]["index"]
        named = title(self.body["spec"], kind_of(self.analysis).title)
        return named if index is None else f"{named}, question {index + 1}"

    @property
    def file(self) -> str:
        """The name of its files, without the ending."""
        return f"{self.analysis}-{self.key[:12]}"

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The heads and MLPs that it is about; none where it is about the whole model."""
        given = self.body["spec"].get("parameters") or {}
        labels = [given[name] for name in OWNER if isinstance(given.get(name), str)]
        several = given.get("nodes" if self.analysis == "effects" else "heads")
        labels += several if isinstance(several, list) else []
        if isinstance(given.get("layer"), int) and isinstance(given.get("head"), int):
            labels.append(f"L{given['layer']}H{given['head']}")
        owners = (Node.read(label).owner for label in labels)
        return tuple(dict.fromkeys(owner for owner in owners if owner))

    @property
    def is_map(self) -> bool:
        """Whether it has the effects of all heads and MLPs over all pairs."""
        spec = self.body["spec"]
        whole = (spec.get("parameters") or {}).get("nodes", "all") == "all"
        return self.analysis == "effects" and whole and spec["prompts"]["index"] is None


@dataclass(frozen=True)
class Investigation:
    """All stored results on the same prompts of one model, and what a reader noted."""

    results: Sequence[Found]
    notes: Sequence[tuple[str, str]] = ()

    @property
    def map(self) -> Found | None:
        """The map that all clicks begin at: the one that was asked for, which comes first."""
        return next((found for found in self.results if found.is_map), None)

    @property
    def origin(self) -> Json:
        """Where the numbers come from."""
        return (self.map or self.results[0]).body["provenance"]

    @property
    def name(self) -> str:
        """`smollm2-mcq on stated facts, held out`."""
        return f"{self.origin['model']} on {self.origin['prompts']}"

    @property
    def file_name(self) -> str:
        """With model and date, in letters that every file system takes."""
        model = NAME.sub("-", self.origin["model"]).strip("-.") or "model"
        return f"headscope-{model}-{str(self.origin['date'])[:10]}.zip"


async def gathered(client: BackendClient, place: State, key: str = "") -> Investigation:
    """All that is stored on the prompts of a place, or of the result with a key; the place's map first."""
    of = key or await _any_on(client, place)
    listed = [record for record in await client.records(prompts_of=of) if record["stored"]]
    model = next((record["model"] for record in listed if record["key"] == of), place.model)
    keys = [record["key"] for record in listed if record["model"] == model]
    found = [one for one in [await _read(client, key) for key in keys] if one]
    if not found:
        raise BackendError("nothing_stored", "Nothing is stored on these prompts yet.", status=404)
    asked = {name: getattr(place, name) for name in specs.CHOICES}

    def rank(one: Found) -> tuple[bool, int, int]:
        given = one.body["spec"].get("parameters") or {}
        other = not (one.is_map and all(given.get(name) == value for name, value in asked.items()))
        return other, ORDER.get(one.analysis, len(ORDER)), one.body["spec"]["prompts"]["index"] or 0

    return Investigation(sorted(found, key=rank), tuple(place.notes))


async def _any_on(client: BackendClient, place: State) -> str:
    """The key of some stored result on the prompts of a place."""
    wanted = specs.prompts(place)["prompts"]
    for record in await client.records(model=place.model):
        prompts = record["spec"]["prompts"]
        if all(prompts.get(name, value) == value for name, value in wanted.items() if name != "index"):
            return record["key"]
    raise BackendError(
        "nothing_stored", "Nothing is stored on these prompts yet: open the map first.", status=404
    )


async def _read(client: BackendClient, key: str) -> Found | None:
    """The stored bytes of a key; None where they were evicted in the meantime."""
    answer = await client.forward("GET", f"/api/results/{key}", [("accept-encoding", "identity")], _nothing())
    raw = b"".join([chunk async for chunk in answer.chunks])
    return Found(raw, orjson.loads(raw)) if answer.status == 200 else None


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


async def bundle(client: BackendClient, place: State, key: str = "") -> tuple[str, bytes]:
    """The name of the zip and its bytes."""
    from frontend.investigation_page import index_page

    found = await gathered(client, place, key)
    page, plotly = await asyncio.to_thread(index_page, found)
    return found.file_name, await asyncio.to_thread(zipped, found, page, plotly)


def zipped(found: Investigation, page: str, plotly: str) -> bytes:
    """All files in one folder of a zip."""
    folder = found.file_name.removesuffix(".zip")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in _files(found, page, plotly):
            archive.writestr(f"{folder}/{name}", content)
    return out.getvalue()


def _files(found: Investigation, page: str, plotly: str) -> Iterable[tuple[str, str | bytes]]:
    yield "index.html", page
    if plotly:
        yield "plotly.min.js", plotly
    keys = "\n".join(f"{one.key}  {one.title}" for one in found.results)
    yield "README.txt", README.format(name=found.name, keys=keys)
    if found.notes:
        yield "notes.txt", "\n\n".join(f"{label}\n{said}" for label, said in found.notes) + "\n"
    for one in found.results:
        yield f"data/{one.file}.json", one.raw
        yield f"tables/{one.file}.csv", sheet(one.body)


def place_in(found: Found) -> State:
    """Where the figure of a result stands in the dashboard."""
    return state_of(found.body["spec"])
