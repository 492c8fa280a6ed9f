"""`z4j-scheduler ddl`: the tables of a lease store in SQL, to be made by who may."""

from __future__ import annotations

import argparse
import json

from z4j_core.scheduler.leases.sql import ddl


def _ddl(options: argparse.Namespace) -> int:
    for statement in ddl(options.dialect):
        print(json.dumps({"statement": statement}) if options.json else f"{statement};")
    return 0


COMMANDS = {"ddl": _ddl}
