"""What adapters borrow. The rule: an interrupt reaches what runs, and says when that is gone."""

import subprocess
import sys
import threading

from z4j_core.agent.lends import interrupt

GREENLETS = """
from gevent import monkey; monkey.patch_all()
import gevent
from z4j_core.agent.lends import interrupt

said = []

def forever():
    try:
        gevent.sleep(60)
    except KeyError:
        said.append("hit")
    finally:
        said.append("finally")

running = gevent.spawn(forever)
gevent.sleep(0)
said.append(interrupt(running, KeyError))
running.join()
said.append(interrupt(running, KeyError))
print(said)
"""


def test_a_greenlet_is_interrupted_where_it_waits_and_a_finished_one_is_gone():
    done = subprocess.run(
        [sys.executable, "-c", GREENLETS], capture_output=True, text=True, timeout=30, check=True
    )

    assert done.stdout.strip() == "[True, 'hit', 'finally', False]"


def test_a_thread_that_is_gone_is_not_interrupted():
    ended = threading.Thread(target=int)
    ended.start()
    ended.join()

    assert not interrupt(ended.ident, KeyError)
