"""One version everywhere: a higher number under one of our names on an index must never win."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = "2.0.0"
PROJECTS = {
    path.parent.name: tomllib.loads(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.glob("packages/*/pyproject.toml"))
}


def requirements(project):
    yield from project["project"].get("dependencies", ())
    for extra in project["project"].get("optional-dependencies", {}).values():
        yield from extra


def test_the_packages_are_found():
    assert {
        "z4j",
        "z4j-core",
        "z4j-celery",
        "z4j-rq",
        "z4j-dramatiq",
        "z4j-huey",
        "z4j-arq",
        "z4j-taskiq",
        "z4j-django",
        "z4j-flask",
        "z4j-fastapi",
        "z4j-scheduler",
        "z4j-testing",
        "z4j-brain",
    } <= PROJECTS.keys()


@pytest.mark.parametrize("name", PROJECTS)
def test_every_package_has_the_one_version(name):
    assert PROJECTS[name]["project"]["version"] == VERSION
    assert PROJECTS[name]["project"]["name"] == name
    assert metadata.version(name) == VERSION


@pytest.mark.parametrize("name", PROJECTS)
def test_siblings_are_pinned_exactly(name):
    siblings = [r for r in requirements(PROJECTS[name]) if re.match(r"z4j|rq-rediscron", r)]

    assert [r for r in siblings if not r.endswith(f"=={VERSION}")] == []


@pytest.mark.parametrize("name", PROJECTS)
def test_every_foreign_dependency_has_a_floor_and_no_cap(name):
    foreign = [r for r in requirements(PROJECTS[name]) if not r.startswith("z4j")]
    capped = {"arq>=0.25,<0.26"}

    assert [r for r in foreign if ">=" not in r] == []
    assert [r for r in foreign if "<" in r.split(";")[0] and r not in capped] == []


@pytest.mark.parametrize("name", PROJECTS)
def test_every_package_carries_types_and_a_licence(name):
    (module,) = [p for p in (ROOT / "packages" / name / "src").iterdir() if p.is_dir()]

    assert (module / "py.typed").is_file()
    assert PROJECTS[name]["project"]["license"] in {"Apache-2.0", "AGPL-3.0-or-later"}
    assert PROJECTS[name]["project"]["requires-python"] == ">=3.11"


def test_core_depends_on_two_libraries_alone():
    needed = PROJECTS["z4j-core"]["project"]["dependencies"]
    names = [re.split(r"[<>=!~\[;]", r)[0] for r in needed]

    assert sorted(names) == ["msgpack", "websockets"]


def test_the_brain_ships_the_agpl():
    text = (ROOT / "packages/z4j-brain/LICENSE").read_text(encoding="utf-8")

    assert text.startswith("GNU AFFERO GENERAL PUBLIC LICENSE")
    assert PROJECTS["z4j-brain"]["project"]["license"] == "AGPL-3.0-or-later"
