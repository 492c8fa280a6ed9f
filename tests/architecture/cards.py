"""The measures of the code. The rule: a number comes from the syntax tree, never from a style."""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FILE_LINES = 400
FILE_LINES_BRAIN = 300
FUNCTION_LINES = 50
PARAMETERS = 6
COMMENT_SHARE = 0.10
IGNORES_PER_KLOC = 1.0

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
VAGUE_CLASSES = ("Manager", "Service", "Helper", "Util", "Utils")


@dataclass(frozen=True, slots=True)
class Function:
    """One function: where it stands, its lines without docstring, its parameters without self."""

    where: str
    lines: int
    parameters: int


@dataclass(frozen=True, slots=True)
class Card:
    """What was measured in one file."""

    path: Path
    lines: int
    code_lines: int
    comment_lines: int
    functions: tuple[Function, ...]
    classes: tuple[str, ...]
    broad_excepts: int
    type_ignores: int
    complexity_noqas: int
    has_docstring: bool

    @property
    def name(self) -> str:
        """Path relative to the packages directory."""
        return str(self.path.relative_to(ROOT / "packages"))


def sources() -> list[Path]:
    """Every source file of every package; tests and migrations are not measured."""
    found = ROOT.glob("packages/*/src/**/*.py")
    return sorted(path for path in found if "migrations" not in path.parts)


def files_of_tests() -> list[Path]:
    """Every file of every test; what is generated or built is not there."""
    places = (
        "packages/*/tests/**/*.py",
        "tests/**/*.py",
        "dashboard/e2e/**/*.py",
        "examples/*/tests/**/*.py",
    )
    return sorted(path for place in places for path in ROOT.glob(place))


def cards() -> list[Card]:
    """Measure every source file."""
    return [card(path) for path in sources()]


def card(path: Path) -> Card:
    """Measure one file."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    comments, code = _line_kinds(text)
    return Card(
        path=path,
        lines=len(text.splitlines()),
        code_lines=code,
        comment_lines=comments,
        functions=tuple(_functions(tree, path)),
        classes=tuple(node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)),
        broad_excepts=sum(map(_is_broad, ast.walk(tree))),
        type_ignores=text.count("# type: ignore") + text.count("# pyright: ignore"),
        complexity_noqas=sum(
            1
            for line in text.splitlines()
            if "noqa" in line and any(rule in line for rule in ("PLR09", "C901"))
        ),
        has_docstring=ast.get_docstring(tree) is not None,
    )


def _line_kinds(text: str) -> tuple[int, int]:
    comments: set[int] = set()
    code: set[int] = set()
    quiet = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        elif token.type not in quiet:
            code.update(range(token.start[0], token.end[0] + 1))
    return len(comments - code), len(code)


def _functions(tree: ast.Module, path: Path) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            where = f"{path.relative_to(ROOT / 'packages')}:{node.lineno} {node.name}"
            yield Function(where, _lines(node), _parameters(node))


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    whole = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    is_docstring = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    return whole - ((first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0)


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return sum(1 for arg in named if arg.arg not in {"self", "cls"})


def _is_broad(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = node.type
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        name is None or (isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"})
        for name in names
    )


def table() -> str:
    """The measures of each package, one line each."""
    rows = [
        f"{'package':<16}{'files':>6}{'lines':>7}{'median':>8}{'p90':>6}{'max':>6}{'fn p95':>8}"
    ]
    measured = cards()
    for package in sorted({card.path.relative_to(ROOT).parts[1] for card in measured}):
        mine = [c for c in measured if c.path.relative_to(ROOT).parts[1] == package]
        lines = sorted(c.lines for c in mine)
        functions = sorted(f.lines for c in mine for f in c.functions) or [0]
        rows.append(
            f"{package:<16}{len(mine):>6}{sum(lines):>7}{statistics.median(lines):>8.0f}"
            f"{lines[int(len(lines) * 0.9)] if len(lines) > 1 else lines[0]:>6}{lines[-1]:>6}"
            f"{functions[int((len(functions) - 1) * 0.95)]:>8}"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
