"""`z4j doctor` without a brain's database: what is told offline, and what it leaves behind."""

from __future__ import annotations

import json

import pytest
from z4j_core.cli.doctor import main


@pytest.fixture
def doctor(tmp_path, monkeypatch, capsys):
    """Run doctor with a DSN; (exit code, what it printed)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("Z4J_SPOOL_DIR", str(tmp_path / "spool"))

    def run(dsn, *options):
        monkeypatch.setenv("Z4J_DSN", dsn)
        return main(options), capsys.readouterr().out

    return run


def test_a_good_dsn_is_proven_and_leaves_no_agent_and_no_stream_behind(doctor, brain, tmp_path):
    code, said = doctor(brain.dsn)

    assert code == 0, said
    assert "ok    handshake  z4j fake knows key z4k_" in said
    assert brain.store.registers == []
    assert list(tmp_path.glob("spool/*/s/*")) == []


def test_with_json_each_check_is_an_object_on_a_line(doctor, brain):
    _, said = doctor(brain.dsn, "--json")

    rows = [json.loads(line) for line in said.splitlines()]
    assert {row["verdict"] for row in rows} == {"ok"}
    assert [row["check"] for row in rows][:6] == [
        "dsn", "network", "handshake", "clock", "event", "command",
    ]  # fmt: skip


def test_a_mistyped_secret_is_told_offline(doctor, brain):
    at = brain.dsn.index("z4s_") + 6
    typo = "b" if brain.dsn[at] == "a" else "a"

    code, said = doctor(brain.dsn[:at] + typo + brain.dsn[at + 1 :])

    assert code == 2
    assert "Z4J-E103" in said
    assert brain.links == []


def test_a_brain_that_does_not_acknowledge_fails_the_event_and_skips_the_command(doctor, brain):
    brain.knobs.drop_before_ack = True

    code, said = doctor(brain.dsn)

    assert code == 2
    assert "FAIL  event" in said
    assert "skip  command" in said


def test_without_a_dsn_it_says_where_one_comes_from(doctor):
    code, said = doctor("")

    assert code == 2
    assert "FAIL  dsn        no DSN: set Z4J_DSN" in said


def distribution(home, name, version, lines="", points=""):
    """An installed distribution, as far as metadata goes."""
    folder = home / f"{name}-{version}.dist-info"
    folder.mkdir()
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}"
    (folder / "METADATA").write_text(head, encoding="utf-8")
    (folder / "entry_points.txt").write_text(points, encoding="utf-8")


@pytest.mark.parametrize(
    ("have", "module", "told"),
    [
        ("1.9", "json:loads", "Z4J-E202 toyq 1.9 is installed, the adapter needs 2.0 or newer"),
        ("2.10", "no_such_module:detect", "Z4J-E204 adapter toyq (no_such_module:detect)"),
    ],
)
def test_an_adapter_that_cannot_work_is_named(
    doctor, brain, tmp_path, monkeypatch, have, module, told
):
    distribution(tmp_path, "toyq", have)
    points = f"[z4j.engines]\ntoyq = {module}\n"
    distribution(tmp_path, "z4j_toyq", "2.0.0", "Requires-Dist: toyq>=2.0\n", points)
    monkeypatch.syspath_prepend(str(tmp_path))

    code, said = doctor(brain.dsn)

    assert code == 2
    assert f"FAIL  toyq       {told}" in said
