"""No file imports itself through others. The rule: an import for types alone counts as well."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "dashboard/src"
TS_IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.{1,2}/[^"']+)["']""")


def test_no_python_module_imports_itself_through_others():
    modules = {
        module_of(path, root): path
        for root in ROOT.glob("packages/*/src")
        for path in root.rglob("*.py")
        if "versions" not in path.relative_to(root).parts
    }
    assert len(modules) > 200, "the gate looked at almost nothing"

    assert (
        circle({name: python_imports(name, path, modules) for name, path in modules.items()}) == []
    )


def test_no_file_of_the_dashboard_imports_itself_through_others():
    files = [p for p in DASHBOARD.rglob("*.ts*") if ".test." not in p.name]
    assert len(files) > 80, "the gate looked at almost nothing"

    assert circle({str(file): script_imports(file) for file in files}) == []


@pytest.mark.parametrize(
    ("last", "found"), [({"a"}, ["c", "b", "a", "c"]), (set(), [])], ids=["circle", "chain"]
)
def test_a_planted_circle_is_found(last, found):
    graph = {"a": {"b"}, "b": {"c"}, "c": last}

    assert sorted(set(circle(graph))) == sorted(set(found))


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """The files of one circle, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def module_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def python_imports(name: str, path: Path, modules: Mapping[str, Path]) -> set[str]:
    """The modules of ours that a file names in an import."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(
                [*(above if node.level else []), *([node.module] if node.module else [])]
            )
            members = {f"{base}.{alias.name}" for alias in node.names}
            found.update(members & modules.keys() or {base})
            if members - modules.keys():
                found.add(base)
    return (found & modules.keys()) - {name}


def script_imports(path: Path) -> set[str]:
    found: set[str] = set()
    for told in TS_IMPORT.findall(path.read_text(encoding="utf-8")):
        bare = path.parent / told
        for file in (bare, *(bare.with_name(bare.name + end) for end in (".ts", ".tsx"))):
            if file.is_file() and file.suffix in {".ts", ".tsx"}:
                found.add(str(file.resolve()))
    return found
