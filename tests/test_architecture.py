"""The house stays in order: import directions, sizes, types, words."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("analysis", "backend", "cache", "frontend")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
MAX_FILE_LINES = 300
MAX_BODY_LINES = 50
BANNED_IMPORTS = {"pickle", "dill", "joblib", "shelve", "marshal", "diskcache"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, its docstring not counted."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def imported_by(tree: ast.AST) -> set[str]:
    """Top-level names of everything imported."""
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    froms = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {module.split(".")[0] for module in (*plain, *froms)}


def test_imports_go_one_way() -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize("command", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["pyright"]])
def test_checker_is_content(command: list[str]) -> None:
    tool = Path(sys.executable).parent / command[0]
    outcome = subprocess.run([str(tool), *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize("path", FILES, ids=name)
def test_file_has_one_purpose_and_says_it(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree), f"{name(path)} does not say what it is."
    assert len(text.splitlines()) <= MAX_FILE_LINES, f"{name(path)} has grown beyond {MAX_FILE_LINES} lines."
    long = [function.name for function in functions(tree) if body_lines(function) > MAX_BODY_LINES]
    assert not long, f"Functions over {MAX_BODY_LINES} lines in {name(path)}: {long}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_nothing_unsafe_is_imported_or_loaded(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {
        (node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }
    assert not imported & BANNED_IMPORTS
    text = path.read_text()
    assert "torch.load(" not in text
    assert "trust_remote_code=True" not in text
    assert '"cuda"' not in text or "settings" in path.name


def public_functions_of_analysis() -> list[tuple[str, ast.FunctionDef]]:
    """Functions of modules and methods of classes; functions inside functions are their own business."""
    found = []
    for path in FILES:
        if path.is_relative_to(ROOT / "analysis"):
            tree = ast.parse(path.read_text())
            classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
            for function in (node for owner in (tree, *classes) for node in owner.body):
                if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
                    found.append((f"{name(path)}:{function.name}", function))
    return found


@pytest.mark.parametrize(
    "place, function", public_functions_of_analysis(), ids=lambda x: x if isinstance(x, str) else ""
)
def test_tensors_of_analysis_have_shapes(place: str, function: ast.FunctionDef) -> None:
    """A tensor in a public signature says its axes: `Float[Tensor, "..."]`, never a bare `Tensor`."""
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    annotations = [argument.annotation for argument in arguments if argument.annotation] + [function.returns]
    for annotation in filter(None, annotations):
        written = ast.unparse(annotation)
        bare = re.sub(r"(Float|Int|Bool|Shaped|Num|Inexact)\[(torch\.)?Tensor, ", "", written)
        assert not re.search(r"\b(torch\.)?Tensor\b", bare), f"{place}: {written} has a tensor without axes"


SHAPE = re.compile(r"(?:Float|Int|Bool|Shaped|Num|Inexact)\[(?:torch\.)?Tensor, \"([^\"]*)\"\]")


def axes_of(shape: str) -> set[str]:
    """The words of a shape string, without `*`, names of known sizes and arithmetic."""
    words = (re.split(r"[-+*/]", re.sub(r"^[*#?]*(\w+=)?", "", word))[0] for word in shape.split())
    return {word for word in words if word.strip("_") and not word.isdigit()} - {"...", "rest", "axes"}


def test_shapes_use_the_words_of_the_glossary() -> None:
    text = ast.get_docstring(ast.parse((ROOT / "analysis/__init__.py").read_text())) or ""
    glossary = set(re.findall(r"`(\w+)`", text))
    for path in FILES:
        if path.is_relative_to(ROOT / "analysis"):
            for shape in SHAPE.findall(path.read_text()):
                assert axes_of(shape) <= glossary, f"{name(path)}: {shape!r} is not in analysis/__init__.py"


def test_headscope_says_what_its_words_mean() -> None:
    """The wire's closed lists are the analysis package's own."""
    from typing import get_args

    from analysis.analyses import ANALYSES
    from analysis.counterfactuals import SAMPLERS
    from analysis.question_sets import FORMATS, LABEL_STYLES
    from backend.schemas import names

    assert set(get_args(names.AnalysisName)) == set(ANALYSES)
    assert set(get_args(names.Sampler)) == set(SAMPLERS)
    assert set(get_args(names.Format)) == set(FORMATS)
    assert set(get_args(names.LabelStyle)) == set(LABEL_STYLES)
