"""Fills the queue of one worker: a line `times count done` in, the same out once it is sent."""

import sys
from importlib import import_module

app = import_module(f"bench_apps.{sys.argv[1]}")
for line in sys.stdin:
    times, count, done = line.split()
    app.send(int(times), int(count), done)
    sys.stdout.write(line)
    sys.stdout.flush()
