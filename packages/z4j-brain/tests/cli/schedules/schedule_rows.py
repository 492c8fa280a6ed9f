"""What tests of `z4j schedules` ask of it."""

from __future__ import annotations

import json

HERE = ("engine=celery", "app=shop")


def row(run, name):
    code, out, err = run("show", name, "--json")
    assert code == 0, err
    return json.loads(out)


def audited(brain):
    return brain.rows("SELECT count(*) FROM audit_event")[0][0]
