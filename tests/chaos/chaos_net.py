"""Two machines and a router between them, as network namespaces. The rule: all are removed.

Both ends call the brain `localhost`, which there is an address on the wire: over plain HTTP agents
talk to no other name.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

AGENT, BRAIN = "10.213.1.2", "10.213.2.2"
_ETC = Path("/etc/netns")


def ip(*words, check=True):
    """`ip` of iproute2."""
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True)


class Wire:
    """Namespaces for agents and brain, and everything that can happen between them."""

    def __init__(self):
        mine = os.getpid()
        self.agents, self.router, self.brain = (f"z4j-{mine}-{part}" for part in "arb")
        self.spaces = (self.agents, self.router, self.brain)
        self.cuts = {
            "swallowed on the way": (self.swallow, self.unswallow),
            "the agents' link down": (self._link(self.agents, "z4ja", "down"),
                                      self._link(self.agents, "z4ja", "up", "10.213.1.1")),
            "the brain's link down": (self._link(self.router, "z4jr", "down"),
                                      self._link(self.router, "z4jr", "up")),
        }  # fmt: skip

    def lay(self):
        """Make both ends and the way between them."""
        for space in self.spaces:
            ip("netns", "add", space)
            ip("-n", space, "link", "set", "lo", "up")
            self._names(space)
        self._cable((self.agents, "z4ja", f"{AGENT}/24"), (self.router, "z4jq", "10.213.1.1/24"))
        self._cable((self.brain, "z4jb", f"{BRAIN}/24"), (self.router, "z4jr", "10.213.2.1/24"))
        ip("-n", self.agents, "route", "add", "default", "via", "10.213.1.1")
        ip("-n", self.brain, "route", "add", "default", "via", "10.213.2.1")
        forward = "echo 1 > /proc/sys/net/ipv4/ip_forward"
        ip("netns", "exec", self.router, "sh", "-c", forward)
        return self

    def _names(self, space):
        (_ETC / space).mkdir(parents=True, exist_ok=True)
        (_ETC / space / "hosts").write_text(f"{BRAIN} localhost\n")

    def _cable(self, one, other):
        (space, name, address), (far, far_name, far_address) = one, other
        ip("link", "add", name, "netns", space, "type", "veth",
           "peer", "name", far_name, "netns", far)  # fmt: skip
        ip("-n", space, "addr", "add", address, "dev", name)
        ip("-n", far, "addr", "add", far_address, "dev", far_name)
        ip("-n", space, "link", "set", name, "up")
        ip("-n", far, "link", "set", far_name, "up")

    def swallow(self):
        """Drop every packet on the way, in both directions, and tell nobody."""
        for address in (AGENT, BRAIN):
            ip("-n", self.router, "route", "add", "blackhole", f"{address}/32")

    def unswallow(self):
        for address in (AGENT, BRAIN):
            ip("-n", self.router, "route", "del", "blackhole", f"{address}/32")

    def _link(self, space, name, state, gateway=None):
        def change():
            ip("-n", space, "link", "set", name, state)
            if gateway:  # routes go with their link
                ip("-n", space, "route", "replace", "default", "via", gateway)

        return change

    def exec(self, space):
        """What goes before a command to run it there."""
        return ("ip", "netns", "exec", space)

    def remove(self):
        for space in self.spaces:
            ip("netns", "del", space, check=False)
            shutil.rmtree(_ETC / space, ignore_errors=True)
        with contextlib.suppress(OSError):
            _ETC.rmdir()


@contextlib.contextmanager
def wire():
    """A way between two machines; only root may lay one."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("only root may make network namespaces, with iproute2")
    made = Wire()
    try:
        try:
            made.lay()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
        yield made
    finally:
        made.remove()
