"""The command line: `headscope serve`, `run`, `models`, `bench`, `openapi`."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.errors import AnalysisError
from backend.errors import ApiError
from backend.serve import CannotServe, serve
from backend.settings import Settings
from cache.store import StoreUnavailable


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors are one sentence on standard error and exit code 2."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is fetched while serving
    os.environ.setdefault("TQDM_DISABLE", "1")  # the state of a model says it better than progress bars
    # How long torch's threads spin before they sleep. By default so long that beside other busy processes
    # they hold each other up (12 s a pair instead of 1 s); this costs nothing on a quiet machine.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("backend").setLevel(logging.INFO)
    options = parser().parse_args(arguments)
    try:
        options.command(options)
    except (ApiError, AnalysisError, CannotServe, OSError, StoreUnavailable) as error:
        print(f"headscope: {error}", file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="headscope", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("serve", help="start the API and the page")
    one.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    one.add_argument("--port", type=int, help="port to listen on (default 8050; 0 takes a free one)")
    one.add_argument(
        "--only", choices=["api", "page"], help="serve one part; the page then asks HEADSCOPE_BACKEND_URL"
    )
    one.set_defaults(command=run_server)

    one = commands.add_parser("run", help="compute one spec without a server")
    one.add_argument("spec", type=Path, help="a JSON file, as posted to /api/results")
    one.add_argument("--out", type=Path, required=True, help="where the result is written")
    one.set_defaults(command=run_spec)

    one = commands.add_parser("models", help="the models that the server may load")
    actions = one.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("add", help="allow a local folder of safetensors")
    add.add_argument("id")
    add.add_argument("folder", type=Path)
    add.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    add.set_defaults(command=add_to_list)
    actions.add_parser("list", help="show the list").set_defaults(command=show_list)
    check = actions.add_parser("verify", help="load a model and measure its certificate")
    check.add_argument("id")
    check.set_defaults(command=verify_model)

    one = commands.add_parser("bench", help="measure against the tools that patch cell by cell")
    one.add_argument("--json", type=Path, required=True, help="where the figures are written")
    one.add_argument("--quick", action="store_true", help="one pair, few repeats: under two minutes")
    one.add_argument("--pairs", type=int, nargs="+", default=[1, 8, 32], help="prompt pairs in a batch")
    one.add_argument("--memory", action="store_true", help="the memory alone, anew, in a file that exists")
    one.set_defaults(command=run_benchmark)

    commands.add_parser("openapi", help="print the API's description").set_defaults(command=print_openapi)
    return top


def run_server(options: argparse.Namespace) -> None:
    """`headscope serve`"""
    given = {"host": options.host, "port": options.port}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    serve(settings, options.only or "all")


def run_spec(options: argparse.Namespace) -> None:
    """`headscope run`"""
    from backend.app import create_state

    state = create_state(Settings())
    spec = json.loads(options.spec.read_text())
    options.out.write_bytes(state.results.compute(spec, say))
    state.store.close()


def add_to_list(options: argparse.Namespace) -> None:
    """`headscope models add`"""
    from backend.catalogue import add_model

    listed = add_model(Settings().data, options.id, options.folder, dtype=options.dtype)
    print(
        f"{options.id}: {len(listed.files)} files pinned. Check it with: headscope models verify {options.id}"
    )


def show_list(_: argparse.Namespace) -> None:
    """`headscope models list`"""
    from backend.catalogue import read_sources

    for source in read_sources(Settings().data).values():
        print(f"{source.id:<24} {source.dtype:<10} {source.base or 'shipped with headscope'}")


def verify_model(options: argparse.Namespace) -> None:
    """`headscope models verify`"""
    from backend.app import create_state

    host = create_state(Settings()).models.host(options.id)
    host.load()
    print(json.dumps(host.body(), indent=2))


def run_benchmark(options: argparse.Namespace) -> None:
    """`headscope bench`"""
    try:
        from benchmarks import bench, report
    except ModuleNotFoundError as error:
        raise OSError(f"{error}. The benchmark is run from a copy of the repository: make bench") from error
    if options.memory:
        results = bench.run_memory(options.json, Settings().data)
    else:
        results = bench.run(options.json, Settings().data, quick=options.quick, sizes=options.pairs)
    say("\n".join(report.section(results)))
    if options.json.resolve().parent == report.RESULTS:
        report.write()


def print_openapi(_: argparse.Namespace) -> None:
    """`headscope openapi`"""
    print(json.dumps(openapi(), indent=2, sort_keys=True))


def openapi() -> dict[str, Any]:
    """The description of the API, the same on every machine."""
    import tempfile

    from backend.app import create_api, create_state

    with tempfile.TemporaryDirectory() as folder:
        return create_api(create_state(Settings(data=Path(folder)))).openapi()


def say(message: str) -> None:
    """Progress of a command, apart from its output."""
    print(message, file=sys.stderr, flush=True)
