"""Mutants of ownership and commands, each with the test that kills it.

    python -m z4j_testing.mutants packages/z4j-core/tests/mutants.py

The rule: a mutant that lives is a promise nobody looks at.
"""

from z4j_testing.mutants import Mutant

SOURCE = "../src"
_COMMANDS = "tests/agent/test_commands.py"

MUTANTS = [
    Mutant(
        "owner_lock_inherited",
        "z4j_core/spool/stream.py",
        "fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "test_a_forked_child_does_not_keep_a_dead_owners_stream_locked",
        "tests/spool/test_processes.py",
    ),
    Mutant(
        "result_without_journal",
        "z4j_core/agent/commands.py",
        "                self._journal.result(command.cmd_id, body)\n",
        "                pass\n",
        "test_c4_a_repeated_command_gets_its_result_again_and_is_not_repeated",
        _COMMANDS,
    ),
    Mutant(
        "rerun_after_intent",
        "z4j_core/agent/commands.py",
        "            if entry.result is None:\n",
        "            if entry.result is None:\n                continue\n",
        "test_a_command_with_an_adopted_intent_is_answered_again_and_never_run",
        "tests/agent/test_at_most_once.py",
    ),
    Mutant(
        "deadline_restarts_on_resend",
        "z4j_core/agent/session.py",
        "deadline=self._boot_at_welcome + order",
        "deadline=self._clock.boottime() + order",
        "test_a_command_that_is_sent_again_has_the_deadline_it_had",
        "tests/agent/test_at_most_once.py",
    ),
]
