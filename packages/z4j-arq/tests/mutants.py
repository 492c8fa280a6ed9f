"""Faults this adapter must not have, each with the test that finds it."""

from z4j_testing.mutants import Mutant

SOURCE = "../src"
UNIT = "tests"
LOADS = '__import__("pickle").loads'
MUTANTS = [
    # Seams.
    Mutant(
        "a hook is planted unguarded",
        "z4j_arq/hooks.py",
        "emit.hook(getattr(hooks, name)) for name in _HEARD",
        "getattr(hooks, name) for name in _HEARD",
        "a_raising_hook_never_reaches_the_host",
    ),
    Mutant(
        "the package imports its engine",
        "z4j_arq/__init__.py",
        "from typing import TYPE_CHECKING, Any\n",
        "from typing import TYPE_CHECKING, Any\n\nimport arq\n",
        "importing_the_adapter_starts_nothing",
    ),
    Mutant(
        "attach plants twice",
        "z4j_arq/engine.py",
        "        if self._hooks is None:\n            self._hooks = Hooks",
        "        if True:\n            self._hooks = Hooks",
        "attaching_again_forgets_nothing",
        UNIT,
    ),
    Mutant(
        "detach leaves a wrapper",
        "z4j_arq/seams.py",
        "            setattr(holder, name, raw)\n",
        "            pass\n",
        "detach_restores_the_hook_lists",
    ),
    Mutant(
        "a class is wrapped without its signature",
        "z4j_arq/places.py",
        "    @wraps(original)\n    def __init__",
        "    def __init__",
        "arqs_command_line_finds_every_setting",
        UNIT,
    ),
    Mutant(
        "an end is told before it is stored",
        "z4j_arq/seams.py",
        "        result = await original(self, job_id, finish, *args, **kwargs)\n"
        "        listener = _listener(self._pool)\n",
        "        listener, result = _listener(self._pool), None\n",
        "an_end_that_could_not_be_stored",
        UNIT,
    ),
    Mutant(
        "a retry is told as an end",
        "z4j_arq/hooks.py",
        "        if not is_over:\n",
        "        if False:\n",
        "flaky_ends_retrying",
    ),
    Mutant(
        "deaths before a start are not heard",
        "z4j_arq/seams.py",
        "            listener.died(self, job_id)\n",
        "            pass\n",
        "unregistered_task_ends_failed",
    ),
    Mutant(
        "functions stay wrapped",
        "z4j_arq/hooks.py",
        "                    worker.functions[name] = given\n",
        "                    pass\n",
        "functions_are_what_they_were",
        UNIT,
    ),
    # Cancel.
    Mutant(
        "a cancelled job is made due",
        "z4j_arq/store.py",
        "        for queue in places:\n            pipe.zrem(queue, task_id)\n        return Taken",
        "        for queue in places:\n"
        "            pipe.zadd(queue, {task_id: 1})\n"
        "        return Taken",
        "a_cancelled_job_that_was_put_off_is_not_run_at_once",
        UNIT,
    ),
    Mutant(
        "a job in progress is taken away",
        "z4j_arq/store.py",
        "        if data is None or pipe.exists(progress):\n",
        "        if data is None:\n",
        "a_job_that_was_taken_already",
        UNIT,
    ),
    Mutant(
        "a cancel is told as a failure",
        "z4j_arq/hooks.py",
        "                self._abort(worker, task_id)\n                running.cancel()\n",
        "                running.cancel()\n",
        "cancel_running_ends_cancelled",
    ),
    Mutant(
        "the mark of a cancel outlives its job",
        "z4j_arq/hooks.py",
        "        worker.aborting_tasks.discard(job_id)\n",
        "",
        "leaves_no_mark",
        UNIT,
    ),
    Mutant(
        "a job cancelled before its code runs it",
        "z4j_arq/attempt.py",
        "        if self.is_unwanted:\n",
        "        if False:\n",
        "a_job_cancelled_before_its_code_began",
        UNIT,
    ),
    Mutant(
        "a pause holds nothing back",
        "z4j_arq/hooks.py",
        "return queue not in self.paused and not self.emit.gate(queue).closed",
        "return True",
        "pause_stops_new_starts",
    ),
    Mutant(
        "what a pause overtook is run",
        "z4j_arq/seams.py",
        "            if not self._is_open():\n",
        "            if False:\n",
        "a_pause_holds_back_what_was_read",
        UNIT,
    ),
    # Data.
    Mutant(
        "a retry keeps the old id",
        "z4j_arq/engine.py",
        "new_id = task_id if task_id and task_id != packed.id else _new_id()",
        "new_id = packed.id",
        "retry_has_a_new_id_and_a_link",
    ),
    Mutant(
        "a retry keeps its counter",
        "z4j_arq/hooks.py",
        "    if attempt.first_try <= 1 or task is None:\n",
        "    if True:\n",
        "a_job_that_began_at_a_later_try",
        UNIT,
    ),
    Mutant(
        "the eta of a retry is ignored",
        "z4j_arq/engine.py",
        "self._send(told, packed.data, eta)",
        "self._send(told, packed.data, None)",
        "a_retry_may_wait",
    ),
    Mutant(
        "the eta is ignored",
        "z4j_arq/engine.py",
        "due = now if eta is None else round(eta * 1e3)",
        "due = now",
        "a_delayed_run_waits or a_retry_may_wait",
    ),
    Mutant(
        "peek loads pickles",
        "z4j_arq/message.py",
        "else peek(data)",
        f"else {LOADS}(data)",
        "peek_never_unpickles",
    ),
    Mutant(
        "purge counts what it saw",
        "z4j_arq/store.py",
        "        for each in free:\n",
        "        for each in free[:0]:\n",
        "purge_counts",
    ),
    Mutant(
        "what runs is counted as waiting",
        "z4j_arq/store.py",
        "    return QueueDepth(due - sum(running), later, sum(running), oldest_s=oldest_s)",
        "    return QueueDepth(due, later, sum(running), oldest_s=oldest_s)",
        "what_runs_is_neither_counted",
        UNIT,
    ),
]
