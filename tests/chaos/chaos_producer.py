"""A process that sends tasks as it is told on standard input and answers with its agent's books.

{"n": 300, "rate": 300}: send; {"forks": 20}: fork while a thread sends; {}: only answer.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import uuid

import chaos_app
import z4j
from z4j_core import EventKind, TaskEvent
from z4j_core.agent import current

never = threading.Event()


def send(n, rate):
    for _ in range(n):
        chaos_app.mark(chaos_app.run.delay().id, "sent")
        if rate:
            never.wait(1 / rate)


def fork_while_sending(forks):
    """A thread emits all the time, this thread forks; each child states one fact more.

    The first task is sent before: Celery imports its transport with it, and a child forked while
    another thread holds an import lock can never import that module, with or without us.
    """
    send(1, None)
    done = threading.Event()

    def emit():
        while not done.is_set():
            send(1, 400)

    thread = threading.Thread(target=emit)
    thread.start()
    for _ in range(forks):
        pid = os.fork()
        if pid == 0:
            os._exit(child())
        os.waitpid(pid, 0)
    done.set()
    thread.join()


def child():
    """State one fact in a forked child, whatever the thread of the parent held when it forked."""
    emitter = current().process.emitters[0]
    task_id = str(uuid.uuid4())
    emitter(TaskEvent(EventKind.ENQUEUED, task_id, 1, "chaos.run", chaos_app.QUEUE))
    chaos_app.mark(task_id, "sent")
    return 0


if __name__ == "__main__":
    z4j.init()
    for line in sys.stdin:
        wish = json.loads(line)
        send(wish.get("n", 0), wish.get("rate"))
        if "forks" in wish:
            fork_while_sending(wish["forks"])
        print(json.dumps(chaos_app.books()), flush=True)
