"""RQ, in the worker itself and in a process per job."""

from redis import Redis
from rq import Queue

from bench_apps import work

queue = Queue(work.QUEUE, connection=Redis.from_url(work.URL))


def send(times, count, done):
    jobs = [Queue.prepare_data(work.compute, (times,), result_ttl=0) for _ in range(count)]
    queue.enqueue_many([*jobs, Queue.prepare_data(work.last, (done,), result_ttl=0)])
