"""A brain in a process of its own, to be killed: python brain_process.py <database url> <port>."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from z4j_brain.db import open_database
from z4j_brain.gateway import UVICORN, open_gateway
from z4j_brain.migrations import upgrade
from z4j_brain.settings import Settings
from z4j_core.clock import SystemClock

SECRET = b"a root secret of exactly 32 byte"


def main(url: str, port: int) -> None:
    """Serve agents until killed; says `ready` on standard output."""
    db = open_database(url)
    upgrade(db.engine)
    settings = Settings(database_url=url, data_dir=Path(), secret=SECRET)
    gateway = open_gateway(db, settings, SystemClock(), os.urandom)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await gateway.start()
        yield
        await gateway.stop()

    app = Starlette(routes=gateway.routes(), lifespan=lifespan)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", **UVICORN)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
