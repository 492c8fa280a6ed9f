"""Faults this adapter must not have, each with the test that finds it."""

from z4j_testing.mutants import Mutant

SOURCE = "../src"
UNIT = "tests"
LOADS = '__import__("pickle").loads'
MUTANTS = [
    # Seams.
    Mutant(
        "a hook is planted unguarded",
        "z4j_dramatiq/hooks.py",
        "emit.hook(getattr(self, name)) for name in _FIRST",
        "getattr(self, name) for name in _FIRST",
        "a_raising_hook_never_reaches_the_host",
    ),
    Mutant(
        "the package imports its engine",
        "z4j_dramatiq/__init__.py",
        "from typing import TYPE_CHECKING, Any\n",
        "from typing import TYPE_CHECKING, Any\n\nimport dramatiq\n",
        "importing_the_adapter_starts_nothing",
    ),
    Mutant(
        "attach plants twice",
        "z4j_dramatiq/engine.py",
        "        if self._hooks is None:\n            self._hooks = Hooks",
        "        if True:\n            self._hooks = Hooks",
        "attach_twice_reports_once or detach_restores",
    ),
    Mutant(
        "detach leaves a wrapper",
        "z4j_dramatiq/seams.py",
        '    vars(broker).pop("consume", None)\n',
        "    pass\n",
        "detach_restores_the_hook_lists",
    ),
    Mutant(
        "the class of actors stays wrapped",
        "z4j_dramatiq/seams.py",
        "        _actor.__call__ = _actor.__call__.__wrapped__\n",
        "        pass\n",
        "the_last_engine_leaves",
        UNIT,
    ),
    Mutant(
        "who hears first is the last to be told",
        "z4j_dramatiq/seams.py",
        "[first, *others, last]",
        "[*others, first, last]",
        "flaky_ends_retrying",
    ),
    Mutant(
        "the engine's own retry is told as an enqueue",
        "z4j_dramatiq/hooks.py",
        "if running is not None and running.message.message_id == task_id:",
        "if False:",
        "flaky_ends_retrying",
    ),
    Mutant(
        "unknown actors have no end",
        "z4j_dramatiq/hooks.py",
        "if isinstance(error, ActorNotFound) and",
        "if False and",
        "unregistered_task_ends_failed",
    ),
    Mutant(
        "runs are known by their id alone",
        "z4j_dramatiq/live.py",
        "    if live is None or live.message is not message:\n",
        "    if live is None:\n",
        "another_copy_of_a_message_does_not_end",
        UNIT,
    ),
    # Cancel.
    Mutant(
        "a message cancelled in its queue starts",
        "z4j_dramatiq/hooks.py",
        '            raise SkipMessage("it was cancelled")\n',
        "            pass\n",
        "cancel_before_start_prevents",
    ),
    Mutant(
        "an interrupt comes when the code has returned",
        "z4j_dramatiq/live.py",
        "            if self._has_left:\n                return False\n",
        "",
        "a_cancel_after_the_code_has_returned",
        UNIT,
    ),
    Mutant(
        "what a pause overtook is processed",
        "z4j_dramatiq/hooks.py",
        "if self.is_closed(q_name(message.queue_name)) and self._is_gated(message):",
        "if False:",
        "what_was_taken_before_the_pause",
        UNIT,
    ),
    # Data.
    Mutant(
        "a retry keeps the old id",
        "z4j_dramatiq/message.py",
        "        queue_name=old.queue_name,\n        actor_name",
        "        queue_name=old.queue_name, message_id=old.message_id,\n        actor_name",
        "retry_has_a_new_id_and_a_link",
    ),
    Mutant(
        "a retry keeps its counter",
        "z4j_dramatiq/message.py",
        '    {"retries", "traceback",',
        '    {"traceback",',
        "retry_restarts_the_counter",
    ),
    Mutant(
        "the eta is ignored",
        "z4j_dramatiq/sending.py",
        "delay = None if eta is None else",
        "delay = None if True else",
        "a_delayed_run_waits or a_retry_may_wait",
    ),
    Mutant(
        "peek loads pickles",
        "z4j_dramatiq/message.py",
        "else peek(inflated(raw))",
        f"else {LOADS}(raw)",
        "peek_never_unpickles",
    ),
    Mutant(
        "a dead letter is decoded whatever it is",
        "z4j_dramatiq/message.py",
        '    if read.opaque is not None or raw[:1] != b"{":\n',
        "    if read.opaque is not None:\n",
        "a_pickled_message_is_shown_and_never_loaded",
        UNIT,
    ),
    Mutant(
        "a dead letter stays where it was",
        "z4j_dramatiq/redis.py",
        "                pipeline.hdel(messages, key)\n",
        "",
        "requeue_empties or a_dead_letter_is_sent_again",
        UNIT,
    ),
    Mutant(
        "purge counts what it saw",
        "z4j_dramatiq/redis.py",
        "                pipeline.delete(self._key(queue))\n",
        "                pipeline.exists(self._key(queue))\n",
        "purge_counts",
    ),
    Mutant(
        "what was taken counts as waiting",
        "z4j_dramatiq/redis.py",
        "QueueDepth(ready, delayed, max(known - ready, 0),",
        "QueueDepth(known, delayed, max(known - ready, 0),",
        "depth_tells_what_waits",
        UNIT,
    ),
    # Scheduled runs.
    Mutant(
        "the guard lets a second copy start",
        "z4j_dramatiq/hooks.py",
        "if mark is not None and not self.emit.first_start(message.message_id, mark):",
        "if False:",
        "the_guard_stops_a_second_copy",
    ),
]
