"""Horses that start as a new interpreter (SpawnWorker). The rule: they write, they never connect.

A worker tells the horse it makes where it writes. The word counts only for its own child, so that
nothing else that inherits the environment can follow it.
"""

from __future__ import annotations

import os

from z4j_core import Emit

NAME = "_Z4J_RQ_STREAM"


def lend(emit: Emit) -> None:
    """Leave word for the horse that is made next."""
    path = emit.stream()
    if path:
        os.environ[NAME] = f"{os.getpid()}:{path}"


def withdraw() -> None:
    """The horse has it: nobody else shall."""
    os.environ.pop(NAME, None)


def adopt(emit: Emit) -> None:
    """In a horse: write where its worker does."""
    parent, _, path = os.environ.pop(NAME, "").partition(":")
    if path and parent == str(os.getppid()):
        emit.write_to(path)
