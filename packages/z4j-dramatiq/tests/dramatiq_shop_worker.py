"""What the command line of Dramatiq is given: broker and tasks of a rig."""

import os

import dramatiq
from dramatiq_shop import made

queue = os.environ["RIG_QUEUE"]
broker, _ = made(os.environ["RIG_BROKER"], queue)
broker.declare_queue(f"{queue}-barrier")
dramatiq.set_broker(broker)
