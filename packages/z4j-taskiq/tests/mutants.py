"""Faults this adapter must not have, each with the test that finds it."""

from z4j_testing.mutants import Mutant

SOURCE = "../src"
UNIT = "tests"
LOADS = '__import__("pickle").loads'
MUTANTS = [
    # Seams.
    Mutant(
        "a hook is planted unguarded",
        "z4j_taskiq/hooks.py",
        "emit.hook(getattr(hooks, name)) for name in _HEARD",
        "getattr(hooks, name) for name in _HEARD",
        "a_raising_hook_never_reaches_the_host",
    ),
    Mutant(
        "the package imports its engine",
        "z4j_taskiq/__init__.py",
        "from typing import TYPE_CHECKING, Any\n",
        "from typing import TYPE_CHECKING, Any\n\nimport taskiq\n",
        "importing_the_adapter_starts_nothing",
    ),
    Mutant(
        "detach leaves a wrapper",
        "z4j_taskiq/seams.py",
        "            del self.broker.listen\n",
        "            pass\n",
        "detach_restores_the_hook_lists",
    ),
    Mutant(
        "who hears first is the last to be told",
        "z4j_taskiq/seams.py",
        "            middlewares.insert(0, self._first)\n",
        "            middlewares.append(self._first)\n",
        "we_are_first_and_last_of_all",
        UNIT,
    ),
    Mutant(
        "the engine's own retry is told as an enqueue",
        "z4j_taskiq/hooks.py",
        "            run.was_resent = True\n",
        "            pass\n",
        "a_retry_from_inside_a_run_is_no_new_task",
        UNIT,
    ),
    Mutant(
        "a second end is told",
        "z4j_taskiq/hooks.py",
        "        if run.is_ended:\n            return\n        run.is_ended = True\n",
        "        run.is_ended = True\n",
        "a_middleware_that_raises or ends_once",
        UNIT,
    ),
    Mutant(
        "a run that fell leaves no end",
        "z4j_taskiq/hooks.py",
        "            run.task.add_done_callback(run.hooks.seam.heard.fell)\n",
        "            pass\n",
        "a_middleware_that_raises",
        UNIT,
    ),
    Mutant(
        "unknown tasks have no end",
        "z4j_taskiq/hooks.py",
        "            self._lost(message.task_id, message.task_name, m"
        'essage, raw, "unregistered")\n',
        "            pass\n",
        "unregistered_task_ends_failed",
    ),
    Mutant(
        "another formatter is not heard",
        "z4j_taskiq/seams.py",
        "        if self.broker.formatter is not self._formatter:\n",
        "        if self._formatter is None:\n",
        "another_formatter_is_heard",
        UNIT,
    ),
    # Cancel.
    Mutant(
        "a cancelled run is retried",
        "z4j_taskiq/runs.py",
        "            self.message.labels[RETRY_LABEL] = False\n",
        "",
        "a_cancelled_run_is_never_retried",
        UNIT,
    ),
    Mutant(
        "a cancel hits taskiq's own code",
        "z4j_taskiq/runs.py",
        "        if self.has_left:\n            return Stop.ALREADY\n",
        "",
        "a_cancel_that_comes_while_a_middleware",
        UNIT,
    ),
    Mutant(
        "a cancel does not wait for the task's code",
        "z4j_taskiq/runs.py",
        "        if not self.is_inside and not self.has_left:\n",
        "        if False:\n",
        "a_cancel_waits_until",
        UNIT,
    ),
    Mutant(
        "a message cancelled in its queue starts",
        "z4j_taskiq/hooks.py",
        "        elif message.task_id in self.emit.tombstones():\n",
        "        elif False:\n",
        "a_cancelled_message_ends_before_it_starts",
        UNIT,
    ),
    Mutant(
        "a cancelled message stays in its list",
        "z4j_taskiq/lists.py",
        " and client.lrem(queue, 1, raw):",
        ":",
        "a_waiting_message_is_taken_out",
        UNIT,
    ),
    Mutant(
        "a pause holds nothing back",
        "z4j_taskiq/hooks.py",
        "        self._open.clear()\n",
        "        pass\n",
        "pause_stops_new_starts",
    ),
    Mutant(
        "what a pause overtook is not put back",
        "z4j_taskiq/lists.py",
        "            client.rpush(self.broker.queue_name, message)\n",
        "            pass\n",
        "a_message_that_a_pause_overtook",
        UNIT,
    ),
    # Data.
    Mutant(
        "a retry keeps the old id",
        "z4j_taskiq/engine.py",
        "new_id = task_id if task_id != message.task_id else None",
        "new_id = message.task_id",
        "retry_has_a_new_id_and_a_link",
    ),
    Mutant(
        "a retry keeps its counter",
        "z4j_taskiq/message.py",
        'frozenset({"_retries", ',
        "frozenset({",
        "retry_restarts_the_counter",
    ),
    Mutant(
        "peek loads pickles",
        "z4j_taskiq/message.py",
        "    return peek(raw)\n",
        f"    return {LOADS}(raw)\n",
        "peek_never_unpickles",
    ),
    Mutant(
        "purge counts what it saw",
        "z4j_taskiq/lists.py",
        "            pipeline.delete(queue)\n",
        "            pipeline.exists(queue)\n",
        "purge_counts",
    ),
    Mutant(
        "a due time is taken where the broker ignores it",
        "z4j_taskiq/stores.py",
        "        if wish.priority is not None or wish.delay_s is not None:\n",
        "        if wish.priority is not None:\n",
        "a_due_time_and_a_priority_are_refused",
        UNIT,
    ),
    # Scheduled runs.
    Mutant(
        "the guard lets a second copy start",
        "z4j_taskiq/hooks.py",
        "if await asyncio.to_thread(self.emit.first_start, call.task_id, mark):",
        "if True:",
        "the_guard_stops_a_second_copy",
    ),
]
