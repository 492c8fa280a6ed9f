"""The app of the rigs, with the tasks that `z4j_testing.engine.rig` lists."""

import asyncio
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

from celery import Celery
from celery.exceptions import Ignore, Reject
from z4j_testing.marks import mark

SLOW_S = 20.0


def make_app(broker, backend, queue, folder, conf=None):
    app = Celery("shop", broker=broker, backend=backend)
    app.conf.update(
        task_default_queue=queue,
        worker_redirect_stdouts=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        worker_prefetch_multiplier=4,
        result_expires=300,
        control_queue_expires=60,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )
    app.conf.update(conf or {})
    if conf and "security_key" in conf:
        app.setup_security()
    register(app, Path(folder), partial(mark, place=Path(folder)))
    return app


def register(app, folder, mark):
    register_plain(app, mark)
    register_failing(app, folder, mark)

    def wait_for(token):
        deadline = time.monotonic() + SLOW_S
        try:
            mark("began", token)
            while not (folder / f"release-{token}").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            mark("done", token)
        finally:
            mark("finally", token)
        return token

    @app.task(shared=False, name="shop.slow")
    def slow(token):
        return wait_for(token)

    @app.task(shared=False, name="shop.stubborn", autoretry_for=(Exception,), retry_backoff=False,
              default_retry_delay=0, max_retries=3)  # fmt: skip
    def stubborn(token):
        return wait_for(token)


def register_plain(app, mark):  # noqa: C901  (a list of tasks)
    @app.task(shared=False, name="shop.ok")
    def ok(a, b=2):
        return {"sum": a + b}

    @app.task(shared=False, name="shop.echo")
    def echo(*args, **kwargs):
        mark("echo", [args, kwargs])

    @app.task(shared=False, name="shop.pause")
    def pause(seconds):
        time.sleep(seconds)

    @app.task(shared=False, name="shop.looped")
    def looped():
        return asyncio.run(asyncio.sleep(0, "looped"))

    @app.task(shared=False, name="shop.secret")
    def secret(order, password):
        return None

    @app.task(shared=False, name="shop.parent")
    def parent():
        return ok.delay(1).id

    @app.task(shared=False, name="shop.limited")
    def limited():
        return time.time()

    @app.task(shared=False, name="shop.ignored")
    def ignored():
        raise Ignore("not now")

    @app.task(shared=False, name="shop.unstorable")
    def unstorable():
        return object()


def register_failing(app, folder, mark):  # noqa: C901  (a list of tasks)
    @app.task(shared=False, name="shop.fail")
    def fail(text):
        raise ValueError(text)

    @app.task(shared=False, name="shop.echo_then_fail")
    def echo_then_fail(*args, **kwargs):
        mark("echo_then_fail", [args, kwargs])
        raise ValueError("after the echo")

    @app.task(shared=False, name="shop.flaky_once_ever")
    def flaky_once_ever(key):
        try:
            (folder / f"once-{key}").touch(exist_ok=False)
        except FileExistsError:
            return "chained"
        raise ValueError("first time")

    @app.task(shared=False, name="shop.flaky", bind=True, max_retries=9)
    def flaky(self, n):
        if self.request.retries < n:
            raise self.retry(exc=KeyError("again"), countdown=0)
        return n

    @app.task(shared=False, name="shop.doomed", autoretry_for=(LookupError,), default_retry_delay=0,
              max_retries=2, retry_backoff=False)  # fmt: skip
    def doomed():
        raise LookupError("never")

    @app.task(shared=False, name="shop.rejected")
    def rejected():
        raise Reject("no")

    @app.task(shared=False, name="shop.crash")
    def crash():
        os.kill(os.getpid(), signal.SIGKILL)

    @app.task(shared=False, name="shop.crash_once", bind=True, acks_late=True,
              reject_on_worker_lost=True)  # fmt: skip
    def crash_once(self):
        if not self.request.delivery_info["redelivered"]:
            os.kill(os.getpid(), signal.SIGKILL)
        return "second delivery"

    @app.task(shared=False, name="shop.leaves")
    def leaves():
        sys.exit(3)

    @app.task(shared=False, name="shop.hard", time_limit=1)
    def hard():
        time.sleep(SLOW_S)
