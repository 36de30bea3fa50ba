"""What the documents say is so."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_setting_is_in_the_table_with_its_default() -> None:
    from backend.settings import Settings

    table = (ROOT / "docs" / "settings.md").read_text()
    rows = dict(re.findall(r"^\| `(HEADSCOPE_\w+)` \| (.+?) \|", table, re.MULTILINE))
    assert set(rows) == {f"HEADSCOPE_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, str | float | bool):
            said = rows[f"HEADSCOPE_{name.upper()}"].strip("`").lower()
            assert said in (str(field.default).lower(), "10 gib")


def test_the_readme_names_every_folder_and_every_family() -> None:
    from analysis.families import FAMILIES

    readme = (ROOT / "README.md").read_text()
    for folder in ("analysis", "backend", "cache", "frontend", "tests", "docs", "scripts", "benchmarks"):
        assert (ROOT / folder).is_dir()
        assert f"\n{folder}/" in readme
    for family in FAMILIES:
        assert family.removesuffix("_text") in readme


def test_pictures_and_links_of_the_documents_exist() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} points to {target}"


def test_every_command_of_the_readme_is_one() -> None:
    from backend.cli import parser

    for command in re.findall(
        r"bin/headscope ([a-z].*?)(?:\s+#.*)?$", (ROOT / "README.md").read_text(), re.MULTILINE
    ):
        parser().parse_args(command.split("  ")[0].strip("`.").split())
