"""`z4j run -- CMD`: the program as it was, with z4j in every Python process of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from z4j_core.cli.run import SITE, environment, main, unreached
from z4j_testing.brain import FakeBrain
from z4j_testing.demo.processes import bound

RUN = "import sys; from z4j_core.cli.run import main; sys.exit(main(sys.argv[1:]))"
SAYS = "from z4j_core.agent import current; print(bool(current() and current().is_active))"


@pytest.fixture(scope="module")
def brain():
    with FakeBrain() as running:
        yield running


@pytest.fixture
def under_run(brain, tmp_path):
    """Start a command under `z4j run`; ended and waited for."""
    started = []

    def start(*command, **more):
        own = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
        child = subprocess.Popen(
            bound([sys.executable, "-c", RUN, "--", *command], signal.SIGKILL),
            env={**own, "Z4J_DSN": brain.dsn, "Z4J_SPOOL_DIR": str(tmp_path / "spool"), **more},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        )  # fmt: skip
        started.append(child)
        return child

    yield start
    for child in started:
        if child.poll() is None:
            child.kill()
        child.communicate(timeout=20)


def said(child):
    out, err = child.communicate(timeout=30)
    assert child.returncode == 0, err
    return out.split()


def script(tmp_path, text):
    path = tmp_path / "program.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_program_has_the_pid_of_the_command(under_run):
    child = under_run(sys.executable, "-c", "import os; print(os.getpid())")

    assert said(child) == [str(child.pid)]


@pytest.mark.parametrize("code", [0, 7, 255])
def test_the_exit_code_is_the_programs(under_run, code):
    child = under_run(sys.executable, "-c", f"raise SystemExit({code})")

    assert child.wait(30) == code


def test_a_signal_reaches_the_program_itself(under_run):
    text = "import signal; print('up', flush=True); signal.pause()"
    child = under_run(sys.executable, "-c", text)
    assert child.stdout.readline() == "up\n"

    child.send_signal(signal.SIGTERM)

    assert child.wait(30) == -signal.SIGTERM


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_are_covered_however_they_are_started(under_run, tmp_path, method):
    program = script(
        tmp_path,
        f"""
import multiprocessing
def child():
    {SAYS}
if __name__ == "__main__":
    {SAYS}
    process = multiprocessing.get_context({method!r}).Process(target=child)
    process.start()
    process.join()
""".replace("; print", "\n    print"),
    )

    assert said(under_run(sys.executable, str(program))) == ["True", "True"]


def test_a_program_that_starts_python_through_a_shell_is_covered(under_run):
    assert said(under_run("sh", "-c", f"{sys.executable} -c '{SAYS}'")) == ["True"]


def test_the_sitecustomize_of_the_app_still_runs(under_run, tmp_path):
    text = "import sys; sys.theirs = 'theirs'"
    (tmp_path / "sitecustomize.py").write_text(text, encoding="utf-8")

    child = under_run(
        sys.executable, "-c", f"import sys; print(sys.theirs); {SAYS}", PYTHONPATH=str(tmp_path)
    )

    assert said(child) == ["theirs", "True"]


def test_run_in_run_takes_its_place_once():
    twice = environment(environment({"PYTHONPATH": f"/a{os.pathsep}/b"}))

    assert twice["PYTHONPATH"].split(os.pathsep) == [SITE, "/a", "/b"]


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        ("python -I job.py", "I"),
        ("python3.11 -u -E job.py", "E"),
        ("/usr/bin/python3 -W ignore -S -c pass", "S"),
        ("python -X dev -OO -I job.py", "I"),
        ("python -bsI job.py", "I"),
        ("python --check-hash-based-pycs always -E job.py", "E"),
        ("python -s -u job.py -I", None),
        ("python -m shop -E", None),
        ("python -uc pass -I", None),
        ("python -Wignore::S job.py", None),
        ("celery -A shop worker -E", None),
    ],
)
def test_a_flag_that_shuts_start_up_hooks_out_is_found_wherever_it_stands(command, flag):
    assert unreached(command.split()) == flag


@pytest.mark.parametrize("flags", [["-I"], ["-u", "-E"], ["-W", "ignore", "-S"]])
def test_a_program_out_of_reach_is_refused_before_it_starts(flags, capsys):
    assert main(["--", sys.executable, *flags, "-c", "raise SystemExit(9)"]) == 2
    assert f"Z4J-E203 python {flags[-1]} is out of reach" in capsys.readouterr().err


def test_a_script_whose_first_line_is_out_of_reach_is_refused_too(tmp_path, capsys):
    program = script(tmp_path, f"#!{sys.executable} -sE\nraise SystemExit(9)\n")
    program.chmod(0o755)

    assert main([str(program)]) == 2
    assert "Z4J-E203 python -E" in capsys.readouterr().err


@pytest.mark.parametrize("given", [[], ["--"], ["--", "no-such-program"]])
def test_without_a_program_it_is_usage(given, capsys):
    assert main(given) == 2
    assert capsys.readouterr().err


def test_nothing_but_one_file_is_put_on_the_path_of_the_program():
    assert [path.name for path in Path(SITE).glob("*.py")] == ["sitecustomize.py"]
