"""Faults this adapter must not have, each with the test that finds it."""

from z4j_testing.mutants import Mutant

SOURCE = "../src"
UNIT = "tests"
LOADS = '__import__("pickle").loads'
MUTANTS = [
    # Seams.
    Mutant(
        "a hook is planted unguarded",
        "z4j_rq/hooks.py",
        "emit.hook(getattr(hooks, name)) for name in _HEARD",
        "getattr(hooks, name) for name in _HEARD",
        "a_raising_hook_never_reaches_the_host",
    ),
    Mutant(
        "the package imports its engine",
        "z4j_rq/__init__.py",
        "from typing import TYPE_CHECKING, Any\n",
        "from typing import TYPE_CHECKING, Any\n\nimport rq\n",
        "importing_the_adapter_starts_nothing",
    ),
    Mutant(
        "attach plants twice",
        "z4j_rq/engine.py",
        "        if self._hooks is None:\n            self._hooks = Hooks",
        "        if True:\n            self._hooks = Hooks",
        "attaching_again_forgets_nothing",
        UNIT,
    ),
    Mutant(
        "detach leaves a wrapper",
        "z4j_rq/seams.py",
        "            setattr(cls, name, raw)\n",
        "            pass\n",
        "detach_restores_the_hook_lists",
    ),
    Mutant(
        "retries are read when RQ has counted them",
        "z4j_rq/seams.py",
        "        before = (self._stopped_job_id == job.id, job.retries_left or 0)\n"
        "        result = original(self, *args, **kwargs)\n",
        "        result = original(self, *args, **kwargs)\n"
        "        before = (self._stopped_job_id == job.id, job.retries_left or 0)\n",
        "retries_to_death_end_failed_once",
    ),
    Mutant(
        "an end is told before it is stored",
        "z4j_rq/seams.py",
        "        result = original(self, *args, **kwargs)\n"
        "        listener = _listener(self)\n"
        "        if listener is not None:\n"
        "            listener.succeeded(self, job, repeats)\n"
        "        return result\n",
        "        listener = _listener(self)\n"
        "        if listener is not None:\n"
        "            listener.succeeded(self, job, repeats)\n"
        "        return original(self, *args, **kwargs)\n",
        "an_end_that_could_not_be_stored_is_not_told",
        UNIT,
    ),
    Mutant(
        "the engine's own retry is told as an enqueue",
        "z4j_rq/hooks.py",
        "if live is not None and live.thread == get_ident():",
        "if False:",
        "a_retry_that_waits_is_no_new_task",
        UNIT,
    ),
    Mutant(
        "a queue that runs at once is told of",
        "z4j_rq/seams.py",
        "        result = original(self, job, *args, **kwargs)\n"
        "        listener = _listener(self)\n"
        "        if listener is not None and self._is_async:",
        "        result = original(self, job, *args, **kwargs)\n"
        "        listener = _listener(self)\n"
        "        if listener is not None:",
        "a_queue_that_runs_at_once_tells_nothing",
        UNIT,
    ),
    # Cancel.
    Mutant(
        "a running job is cancelled by who does not run it",
        "z4j_rq/engine.py",
        "if status not in _WAITING or not store.unqueue(client, task_id, queue):",
        "if not [store.unqueue(client, task_id, queue)]:",
        "who_does_not_run_a_job_leaves_it_alone",
        UNIT,
    ),
    Mutant(
        "an interrupt comes when the code has returned",
        "z4j_rq/live.py",
        "            if not self.is_armed:\n",
        "            if False:\n",
        "an_interrupt_of_a_job_whose_code_has_returned",
        UNIT,
    ),
    Mutant(
        "a job that catches exceptions goes on",
        "z4j_rq/live.py",
        "class Cancelled(BaseException):",
        "class Cancelled(Exception):",
        "a_cancelled_job_that_catches_exceptions",
        UNIT,
    ),
    Mutant(
        "a pause holds nothing back",
        "z4j_rq/engine.py",
        "            self._hooks.paused.add(queue)\n",
        "            pass\n",
        "pause_stops_new_starts",
    ),
    Mutant(
        "what a pause overtook is lost",
        "z4j_rq/seams.py",
        "            _put_back(queue, job.id)\n",
        "            pass\n",
        "goes_back_to_the_front",
        UNIT,
    ),
    # Data.
    Mutant(
        "a retry keeps the old id",
        "z4j_rq/engine.py",
        "new_id = task_id if task_id != packed.id else None",
        "new_id = packed.id",
        "retry_has_a_new_id_and_a_link",
    ),
    Mutant(
        "the eta of a retry is ignored",
        "z4j_rq/engine.py",
        "sending.push(client, place, job, eta)",
        "sending.push(client, place, job, None)",
        "a_retry_may_wait",
    ),
    Mutant(
        "a due time is taken where nobody keeps it",
        "z4j_rq/sending.py",
        "if eta is not None and not client.exists(",
        "if False and not client.exists(",
        "a_due_time_is_refused",
        UNIT,
    ),
    Mutant(
        "peek loads pickles",
        "z4j_rq/facts.py",
        "else peek(plain)",
        f"else {LOADS}(plain)",
        "peek_never_unpickles",
    ),
    Mutant(
        "a requeue lets RQ unpack without bounds",
        "z4j_rq/sending.py",
        '    plain(client.hget(store.key_of_job(task_id), "exc_info") or b"")\n',
        "",
        "a_failure_that_unpacks_to_gigabytes",
        UNIT,
    ),
    Mutant(
        "purge counts what it saw",
        "z4j_rq/sending.py",
        "return int(target.empty() or 0)",
        "return int(target.count)",
        "purge_counts",
    ),
    Mutant(
        "dead letters are those of every queue",
        "z4j_rq/store.py",
        'ids = client.zrange(key_of("failed", queue), at, at + limit - 1)',
        "ids = client.lrange(key_of_queue(queue), at, at + limit - 1)",
        "requeue_empties",
    ),
]
