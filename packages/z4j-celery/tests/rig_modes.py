"""Workers with other settings than rig B's: one a module, ended before the next starts."""

import contextlib

from rig_outside import RigOutside
from z4j_core.model.tasks import ENDS
from z4j_testing.services import redis_url


@contextlib.contextmanager
def working(folder, pool="prefork", *, url=None, backend=None, options=(), conf=None, db=3):
    rig = RigOutside(
        url or redis_url(db), backend or redis_url(4), pool, folder, options=options, conf=conf
    )
    with contextlib.ExitStack() as last:
        last.callback(rig.stop)
        rig.start()
        yield rig
    assert rig.hook_errors() == []


def ends(rig, task_id):
    return [seen.kind for seen in rig.of(task_id) if seen.kind in ENDS]
