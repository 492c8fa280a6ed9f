"""Faults this adapter must not have, each with the test that finds it."""

from z4j_testing.mutants import Mutant

SOURCE = "../src"
UNIT = "tests"
LOADS = '__import__("pickle").loads'
MUTANTS = [
    # Seams.
    Mutant(
        "a hook is planted unguarded",
        "z4j_huey/hooks.py",
        "emit.hook(getattr(self, name)) for name in _HEARD",
        "getattr(self, name) for name in _HEARD",
        "a_raising_hook_never_reaches_the_host",
    ),
    Mutant(
        "the package imports its engine",
        "z4j_huey/__init__.py",
        "from typing import TYPE_CHECKING, Any\n",
        "from typing import TYPE_CHECKING, Any\n\nimport huey\n",
        "importing_the_adapter_starts_nothing",
    ),
    Mutant(
        "attach plants twice",
        "z4j_huey/engine.py",
        "        if self._hooks is None:\n            self._hooks = Hooks",
        "        if True:\n            self._hooks = Hooks",
        "attach_twice_reports_once or detach_restores",
    ),
    Mutant(
        "detach leaves a wrapper",
        "z4j_huey/seams.py",
        "        self.huey.unregister_post_execute(NAME)\n",
        "        pass\n",
        "detach_restores_the_hook_lists",
    ),
    Mutant(
        "the first word on an attempt is the last",
        "z4j_huey/hooks.py",
        "            live.outcome = ENDINGS[signal]\n",
        "            live.outcome = live.outcome or ENDINGS[signal]\n",
        "flaky_ends_retrying",
    ),
    Mutant(
        "a second end is told",
        "z4j_huey/hooks.py",
        "        if live.has_ended:\n            return\n        live.has_ended = True\n",
        "        live.has_ended = True\n",
        "a_task_that_a_stopping_consumer_left_ends_once",
        UNIT,
    ),
    Mutant(
        "the engine's own retry is told as an enqueue",
        "z4j_huey/hooks.py",
        "or self._own(task) is not None:",
        "or False:",
        "flaky_ends_retrying",
    ),
    Mutant(
        "a group is told as a task",
        "z4j_huey/hooks.py",
        'or not hasattr(task, "revoke_id")',
        "or False",
        "each_task_of_a_group",
        UNIT,
    ),
    # Cancel.
    Mutant(
        "a cancelled task is retried",
        "z4j_huey/live.py",
        "        self.retry = False\n",
        "        self.retry = True\n",
        "a_cancelled_task_is_not_retried_in_any_version",
        UNIT,
    ),
    Mutant(
        "a revoked id is revoked for ever",
        "z4j_huey/engine.py",
        "revoke_once=True",
        "revoke_once=False",
        "a_revoked_id_may_be_used_again",
        UNIT,
    ),
    Mutant(
        "an interrupt comes when the code has returned",
        "z4j_huey/live.py",
        "            if self._has_left:\n                return False\n",
        "",
        "an_interrupt_of_a_task_that_has_left",
        UNIT,
    ),
    Mutant(
        "a task cancelled after a look begins",
        "z4j_huey/hooks.py",
        "if task.id in self.emit.tombstones():  # cancelled",
        "if False:  # cancelled",
        "a_task_cancelled_after_huey_looked",
        UNIT,
    ),
    Mutant(
        "what a pause overtook is run",
        "z4j_huey/hooks.py",
        "        self.huey.storage.enqueue(vars(task)[RAW], task.priority)\n        return True\n",
        "        return False\n",
        "puts_back_what_it_had",
        UNIT,
    ),
    # Data.
    Mutant(
        "a retry keeps the old id",
        "z4j_huey/message.py",
        '        "id": task_id,\n',
        '        "id": message.id,\n',
        "retry_has_a_new_id_and_a_link",
    ),
    Mutant(
        "a retry keeps its counter",
        "z4j_huey/message.py",
        '"retries": message.retries if kind is None else kind.default_retries,',
        '"retries": message.retries,',
        "retry_restarts_the_counter",
    ),
    Mutant(
        "the eta of a retry is ignored",
        "z4j_huey/message.py",
        '"eta": huey_time(eta, utc=huey.utc),',
        '"eta": None,',
        "a_retry_may_wait",
    ),
    Mutant(
        "a retry keeps its deadline",
        "z4j_huey/message.py",
        '        "expires": None,\n        "expires_resolved": None,\n',
        "",
        "retry_of_an_expired_run_runs",
    ),
    Mutant(
        "peek loads pickles",
        "z4j_huey/message.py",
        "node = peek(inflated(body))",
        f"node = {LOADS}(body)",
        "peek_never_unpickles",
    ),
    Mutant(
        "purge counts what it saw",
        "z4j_huey/store.py",
        "        pipeline.delete(storage.queue_key)\n",
        "",
        "purge_counts",
    ),
    # Scheduled runs.
    Mutant(
        "the guard lets a second copy start",
        "z4j_huey/hooks.py",
        "return not self.emit.sole_start(task.id)",
        "return False",
        "the_guard_stops_a_second_copy",
    ),
    Mutant(
        "the guard stops the engine's own retry",
        "z4j_huey/hooks.py",
        "            self.emit.starts_again(task.id)\n",
        "            pass\n",
        "the_guard_lets_an_engine_retry_pass",
    ),
]
