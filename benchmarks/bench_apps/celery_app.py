"""Celery on Redis, results ignored."""

import celery

from bench_apps import work

app = celery.Celery("bench_apps.celery_app", broker=work.URL, set_as_current=False)
app.conf.update(
    task_default_queue=work.QUEUE,
    task_ignore_result=True,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,
)
compute = app.task(work.compute, shared=False)
last = app.task(work.last, shared=False)


def send(times, count, done):
    with app.connection_for_write() as connection:
        producer = app.amqp.Producer(connection)
        for _ in range(count):
            compute.apply_async((times,), producer=producer)
        last.apply_async((done,), producer=producer)
