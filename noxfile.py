"""What is not "run a package's tests": build, smoke, measures, benchmarks, mutants, version."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2026.10"
nox.options.error_on_external_run = True
nox.options.default_venv_backend = "uv"
nox.options.sessions = ["cards", "mutants"]

ROOT = Path(__file__).parent
PROOF = ROOT / ".nox" / "proof"
ENGINES = ("celery", "rq", "dramatiq", "huey", "arq", "taskiq")
LEFT_OPEN = ("-W", "default::pytest.PytestUnraisableExceptionWarning")
"""What the oldest clients leave open is noticed at the very end, where no test can allow it."""
PROVED_ON = (("3.11", "oldest"), ("3.13", "newest"))
RIGS = {"inside": "tests/test_conformance.py", "outside": "tests/live/test_outside.py"}
SYNC = ("uv", "sync", "-q", "--frozen", "--active")


def _locked(session: nox.Session) -> None:
    """Install the workspace as locked into the environment of the session."""
    session.run_install(
        *SYNC, external=True, env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location}
    )


@nox.session
def build(session: nox.Session) -> None:
    """Build the sdists and wheels of every package into dist/."""
    session.run(
        "uv", "build", "-q", "--all-packages", "--out-dir", "dist", "--clear", external=True
    )


@nox.session(python=["3.11", "3.13"])
def smoke(session: nox.Session) -> None:
    """Install the built wheels alone and let the demo check itself."""
    build_dir = ROOT / "dist"
    version = _version()
    wheels = sorted(str(wheel) for wheel in build_dir.glob(f"*-{version}-*.whl"))
    if len(wheels) < 5:
        session.error("dist/ has no wheels of this version: run `nox -s build` first")
    session.install(*wheels, f"z4j[demo]=={version}", "--find-links", str(build_dir))
    names = [Path(wheel).name.split("-")[0].replace("_", "-") for wheel in wheels]
    told = "; ".join(f"assert version({name!r}) == {version!r}, {name!r}" for name in names)
    session.run("python", "-c", f"from importlib.metadata import version; {told}")
    session.run("z4j", "demo", "--check")


@nox.session
def first_minute(session: nox.Session) -> None:
    """Build the wheels, install them alone, and walk the tutorial to the first task."""
    _locked(session)
    session.run("pytest", "-q", "tests/packaging/test_first_minute.py")


@nox.session
def cards(session: nox.Session) -> None:
    """Measure the code; fails on a hard limit."""
    _locked(session)
    session.run("python", "tests/architecture/cards.py")
    session.run("pytest", "-q", "tests/architecture/test_cards.py")


@nox.session
def mutants(session: nox.Session) -> None:
    """Every import contract and every named promise of delivery dies by its mutant."""
    _locked(session)
    session.run("pytest", "-q", "tests/architecture/test_contracts.py", "tests/sim/test_mutants.py")
    session.run("pytest", "-q", "-m", "not soak", "-k", "mutant", "tests/schedules_sim")
    session.run("python", "-m", "z4j_testing.mutants", "packages/z4j-core/tests/mutants.py")


@nox.session
@nox.parametrize("engine", ENGINES)
def mutants_of(session: nox.Session, engine: str) -> None:
    """Every fault an adapter must not have dies by the test that is named for it."""
    _locked(session)
    listed = f"packages/z4j-{engine}/tests/mutants.py"
    session.run("python", "-m", "z4j_testing.mutants", listed, *session.posargs)


@nox.session
def sim(session: nox.Session) -> None:
    """A million steps of leaders in worlds that seeds decide; Z4J_SIM_STEPS tells how many."""
    _locked(session)
    million = "test_a_million_steps_keep_every_promise"
    session.run("pytest", "-q", "-m", "soak", "tests/schedules_sim", "-k", million)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Coverage-guided inputs to every decoder; Z4J_FUZZ_RUNS tells how many.

    Corpora and books are kept in .fuzz: what was interrupted goes on where it was.
    """
    _locked(session)
    session.install("atheris>=2.3")
    kept = {"Z4J_FUZZ_HOME": os.environ.get("Z4J_FUZZ_HOME", str(ROOT / ".fuzz"))}
    session.run("pytest", "-q", "-m", "soak", "--timeout", "14400", "tests/fuzz", env=kept)


@nox.session
@nox.parametrize(
    "python,engine,versions",
    [(python, engine, versions) for engine in ENGINES for python, versions in PROVED_ON],
)
def conformance(session: nox.Session, engine: str, versions: str) -> None:
    """Every adapter with its oldest and newest engine: in process, and a worker in another."""
    package, told = f"packages/z4j-{engine}", PROOF / f"{engine}-{versions}"
    shutil.rmtree(told, ignore_errors=True)
    told.mkdir(parents=True)
    which = "--resolution=lowest-direct" if versions == "oldest" else "--upgrade"
    group = f"{package}/pyproject.toml:test"
    session.run_install(
        "uv", "pip", "install", "-q", which, "--group", group, "-e", package, external=True
    )
    session.notify("matrix")
    env = {"Z4J_VERSIONS": versions, "Z4J_WRITE_CAPABILITIES": str(told)}
    failed = []
    for rig, tests in RIGS.items():
        try:
            session.run("pytest", "-q", *LEFT_OPEN, f"--junitxml={told}/{rig}.xml",
                        f"{package}/{tests}", *session.posargs, env=env)  # fmt: skip
        except CommandFailed:
            failed.append(rig)
    if failed:
        session.error(f"{engine}, {versions}: {' and '.join(failed)}")


@nox.session(venv_backend="none")
def matrix(session: nox.Session) -> None:
    """Print what the last run of each cell of `conformance` has proved."""
    session.run("python", ".ci/matrix.py", str(PROOF), external=True)


@nox.session
def bench(session: nox.Session) -> None:
    """Run one area of the benchmarks: nox -s bench -- agent [--quick]."""
    _locked(session)
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session(venv_backend="none")
def version(session: nox.Session) -> None:
    """Rewrite the version of every package and its pins: nox -s version -- 2.1.0."""
    (new,) = session.posargs
    old = _version()
    for path in sorted(ROOT.glob("packages/*/pyproject.toml")):
        text = path.read_text(encoding="utf-8")
        text = re.sub(rf'(?m)^version = "{re.escape(old)}"$', f'version = "{new}"', text)
        path.write_text(text.replace(f"=={old}", f"=={new}"), encoding="utf-8")
    test = ROOT / "tests/packaging/test_versions.py"
    told = test.read_text(encoding="utf-8")
    test.write_text(told.replace(f'VERSION = "{old}"', f'VERSION = "{new}"'), encoding="utf-8")
    session.run("uv", "lock", "-q", external=True)


def _version() -> str:
    text = (ROOT / "packages/z4j/pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'(?m)^version = "(.+)"$', text)
    if found is None:
        raise LookupError("packages/z4j/pyproject.toml names no version")
    return found[1]
