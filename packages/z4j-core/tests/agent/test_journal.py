"""The journal: durable before the act, readable after any crash."""

from __future__ import annotations

import pytest
from z4j_core import Refused
from z4j_core.agent.journal import MAX_IDS, Journal, read_journal

ID = b"i" * 16


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal"


@pytest.fixture
def journal(path):
    one = Journal(path)
    yield one
    one.close()


def test_a_process_without_commands_leaves_no_file(journal, path):
    journal.close()

    assert not path.exists()


def test_what_was_written_is_read_again(journal, path):
    journal.intent(ID, 2, 7)
    journal.start(ID, 0)
    journal.code(ID, 0, 0, "new")
    journal.start(ID, 1)

    entry = read_journal(path)[ID]

    assert (entry.at_us, entry.total, entry.begun) == (7, 2, {0, 1})
    assert entry.codes == {0: (0, "new")}
    assert entry.result is None


def test_a_torn_tail_costs_only_itself(journal, path):
    journal.intent(ID, 1, 7)
    journal.result(ID, b"result")
    whole = path.read_bytes()

    for cut in range(1, len(whole)):
        path.write_bytes(whole[:cut])
        entries = read_journal(path)
        assert all(entry.result in (None, b"result") for entry in entries.values())


def test_a_flipped_byte_never_invents_a_result(journal, path):
    journal.intent(ID, 1, 7)
    journal.result(ID, b"result")
    whole = bytearray(path.read_bytes())

    for at in range(len(whole)):
        whole[at] ^= 0x55
        path.write_bytes(bytes(whole))
        assert all(e.result in (None, b"result") for e in read_journal(path).values())
        whole[at] ^= 0x55


def test_only_the_newest_ids_are_remembered(journal):
    journal.open()
    for number in range(MAX_IDS + 5):
        journal.entries[number.to_bytes(16, "big")] = object()

    journal.intent(ID, 1, 7)

    assert len(journal.entries) == MAX_IDS
    assert next(reversed(journal.entries)) == ID


def test_compaction_keeps_results_and_waits_for_what_runs(journal, path, monkeypatch):
    monkeypatch.setattr("z4j_core.agent.journal.COMPACT_BYTES", 1)
    other = b"o" * 16
    journal.intent(other, 1, 7)
    journal.intent(ID, 1, 7)
    journal.start(ID, 0)
    journal.result(ID, b"first")
    before = path.stat().st_size

    journal.result(other, b"second")

    assert path.stat().st_size < before + 40
    assert {k: e.result for k, e in read_journal(path).items()} == {ID: b"first", other: b"second"}


def test_a_spool_in_memory_has_no_journal():
    with pytest.raises(Refused, match="memory"):
        Journal(None).intent(ID, 1, 7)
