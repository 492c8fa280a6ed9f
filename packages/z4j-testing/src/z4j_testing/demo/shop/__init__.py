"""The shop's own code: a Celery app like any other. It knows z4j by one line, in `app`."""
