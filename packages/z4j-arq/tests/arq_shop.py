"""The tasks of the rigs, as `z4j_testing.engine.rig` lists them, and the settings of a worker."""

import asyncio
import os
import signal
import time

from arq import Retry, Worker, func
from arq.connections import RedisSettings
from z4j_testing.marks import LOOK_S, SLOW_S, folder, mark, released

POLL_S = 0.05


async def ok(ctx, a, b=2):
    return {"sum": a + b}


async def echo(ctx, *args, **kwargs):
    mark("echo", [args, kwargs])


async def pause(ctx, seconds):
    await asyncio.sleep(seconds)


async def secret(ctx, order, password):
    return None


async def parent(ctx):
    return (await ctx["redis"].enqueue_job("ok", 1)).job_id


async def unstorable(ctx):
    return lambda: None


async def unspeakable(ctx):
    class Mute:
        def __repr__(self):
            raise RuntimeError("no words")

    return Mute()


async def fail(ctx, text):
    raise ValueError(text)


async def echo_then_fail(ctx, *args, **kwargs):
    mark("echo_then_fail", [args, kwargs])
    raise ValueError("after the echo")


async def flaky_once_ever(ctx, key):
    try:
        (folder() / f"once-{key}").touch(exist_ok=False)
    except FileExistsError:
        return "chained"
    raise ValueError("first time")


async def flaky(ctx, n):
    if ctx["job_try"] <= n:
        raise Retry from KeyError("again")
    return n


async def later(ctx, seconds):
    if ctx["job_try"] == 1:
        raise Retry(defer=seconds)
    return "later"


async def doomed(ctx):
    raise Retry from LookupError("never")


async def crash(ctx):
    os.kill(os.getpid(), signal.SIGKILL)


async def hard(ctx):
    await asyncio.sleep(SLOW_S)


async def slow(ctx, token):
    try:
        mark("began", token)
        for _ in range(int(SLOW_S / LOOK_S)):
            if released(token):
                break
            await asyncio.sleep(LOOK_S)
        mark("done", token)
    finally:
        mark("finally", token)
    return token


async def stubborn(ctx, token):
    try:
        return await slow(ctx, token)
    except Exception as error:
        raise Retry from error


async def deaf(ctx, token):
    try:
        return await slow(ctx, token)
    except asyncio.CancelledError:
        return "went on"


async def untidy(ctx, token):
    try:
        return await slow(ctx, token)
    finally:
        raise ValueError("while tidying up")


async def blocks(ctx, seconds):
    time.sleep(seconds)  # noqa: ASYNC251  (as an app might by mistake)


async def gives_up(ctx):
    raise asyncio.CancelledError


FUNCTIONS = [
    ok, echo, pause, secret, parent, unstorable, unspeakable, fail, echo_then_fail,
    flaky_once_ever, func(flaky, max_tries=9), later, func(doomed, max_tries=2), crash,
    func(hard, timeout=1), slow, stubborn, deaf, untidy, blocks, gives_up,
]  # fmt: skip


def options(queue, url, slots, **more):
    """What a worker of a rig is made of."""
    return {
        "functions": FUNCTIONS, "queue_name": queue, "max_jobs": slots, "poll_delay": POLL_S,
        "redis_settings": RedisSettings.from_dsn(url), "health_check_interval": POLL_S, **more,
    }  # fmt: skip


async def with_a_barrier(ctx):
    """Read another queue in the same process, on the same loop."""
    queue, url = os.environ["RIG_QUEUE"], os.environ["RIG_BROKER"]
    made = options(f"{queue}-barrier", url, 1, handle_signals=False)
    ctx["barrier"] = worker = Worker(**made)
    ctx["running"] = asyncio.create_task(worker.async_run())


async def stop(worker):
    """End a worker; now and then its Redis client swallows what arq's own signal handler does."""
    while not worker.main_task.done():
        worker.main_task.cancel()
        await asyncio.wait([worker.main_task], timeout=1)
    await worker.close()


async def without_a_barrier(ctx):
    await stop(ctx["barrier"])
    await asyncio.gather(ctx["running"], return_exceptions=True)


if "RIG_QUEUE" in os.environ:
    WorkerSettings = {
        **options(os.environ["RIG_QUEUE"], os.environ["RIG_BROKER"], 1),
        "on_startup": with_a_barrier,
        "on_shutdown": without_a_barrier,
    }
