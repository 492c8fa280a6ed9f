"""A Celery app whose tasks send RQ jobs, and the other way round."""

import os

import rq
from celery import Celery
from redis import Redis

URL = os.environ["PAIR_REDIS"]
NAME = os.environ["PAIR_QUEUE"]
app = Celery("pair", broker=URL)
app.conf.task_default_queue = NAME
app.conf.worker_hijack_root_logger = False
jobs = rq.Queue(f"{NAME}-jobs", connection=Redis.from_url(URL))


@app.task(name="pair.order")
def order(number):
    return jobs.enqueue(invoice, number).id


@app.task(name="pair.mail")
def mail(number):
    return number


def invoice(number):
    return mail.delay(number).id
