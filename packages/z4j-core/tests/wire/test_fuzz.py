"""Ten thousand hostile inputs to every decoder: declared errors and nothing else."""

import random

import pytest
from z4j_core.errors import ConfigError, WireError
from z4j_core.wire import (
    BrainSession,
    decode_events,
    events_body,
    pack_item,
    parse_dsn,
    unpack,
    unpack_item,
)
from z4j_core.wire.bodies import Actor, Beat, Command, Inventory, SpoolState
from z4j_core.wire.codec import deflate, inflate
from z4j_core.wire.codes import FLAG_DEFLATE, RecordType
from z4j_core.wire.events import Head
from z4j_core.wire.frames import FRAMES, pack_body, unpack_body
from z4j_core.wire.handshake import split_challenge, unpack_core, unpack_hello
from z4j_core.wire.items import Lost, Result, Target
from z4j_core.wire.records import Record, seal
from z4j_testing.accidents import mutated
from z4j_testing.brain import FakeBrain
from z4j_testing.wire import REGISTER, WELCOME, Pair, sample_open, sample_task

INPUTS = 10_000
SEED = 20_240_229
ITEMS = [
    pack_item(sample_task(1, tags={"a": "b"}, extra={"cpu_us": 1.5})),
    pack_item(Lost(0, 1, 5, 5, 1, 2, {"9": 1})),
    pack_item(Result(3, 1, b"c" * 16, 3, "x", "y", {"z": [1]}, (Target(0, 1, "n"),), "rule", 9)),
]
_BEAT = Beat(
    1, 2, 3, SpoolState(1, 2, 3, 4), 1, None, 1, 2, 3, 4, 5, (Inventory(1, "t", "a", bytes(8)),)
)
_COMMAND = Command(b"c" * 16, "retry", "toy", "app", ("1",), {"a": {}}, 1, Actor("u", "U", "w"), "")
BODIES = [
    (RecordType.REGISTER, pack_body(REGISTER)),
    (RecordType.WELCOME, pack_body(WELCOME)),
    (RecordType.OPEN, pack_body((sample_open(),))),
    (RecordType.BEAT, pack_body(_BEAT)),
    (RecordType.COMMAND, pack_body(_COMMAND)),
]


def survives(decode, samples, declared=WireError):
    """Feed mutations; how many were refused. Nothing but `declared` may come out."""
    rng = random.Random(SEED)
    refused = 0
    for n in range(INPUTS):
        data = mutated(rng, samples[n % len(samples)])
        try:
            decode(data)
        except declared:
            refused += 1
    return refused


@pytest.mark.parametrize(
    ("decode", "samples"),
    [
        (unpack, ITEMS),
        (unpack_item, ITEMS),
        (decode_events, [events_body(Head(1, 1, 0), ITEMS)]),
        (inflate, [deflate(one) for one in ITEMS]),
        (unpack_hello, [Pair(opened=False).agent.hello()]),
        (lambda data: unpack_core(split_challenge(data)[0]), [bytes(94)]),
    ],
    ids=["value", "item", "batch", "deflate", "hello", "challenge"],
)
def test_decoders_raise_only_declared_errors(decode, samples):
    assert survives(decode, samples) > INPUTS / 10


def test_typed_bodies_raise_only_declared_errors():
    rng = random.Random(SEED)
    types = sorted(FRAMES)

    def decode(data):
        unpack_body(rng.choice(types), data)

    assert survives(decode, [body for _, body in BODIES]) > INPUTS / 10


def test_a_brain_survives_an_agent_that_holds_the_key_and_means_harm():
    rng = random.Random(SEED)
    pair = Pair()
    key, number, state = pair.agent._key_out, pair.brain._seq_in, pair.brain.state

    def decode(data):
        type_ = rng.choice(BODIES)[0]
        pair.brain.state, pair.brain._seq_in = state, number
        flags = rng.choice((0, 0, 0, FLAG_DEFLATE, rng.randrange(65_536)))
        record = seal(key, Record(rng.choice((type_, rng.randrange(256))), flags, number + 1, data))
        pair.brain.receive(record, 0.0)

    assert survives(decode, [body for _, body in BODIES]) > INPUTS / 10


def test_a_brain_survives_any_first_message():
    hello = Pair(opened=False).agent.hello()

    def decode(data):
        BrainSession(brain_id=bytes(16), nonce=bytes(32), now=0.0).receive_hello(data)

    assert survives(decode, [hello, bytes(100), b"\xdd" * 200]) > INPUTS / 10


def test_any_text_is_a_dsn_or_a_named_mistake():
    sample = FakeBrain().dsn.encode()

    def decode(data):
        parse_dsn(data.decode("latin-1"))

    assert survives(decode, [sample], ConfigError) > INPUTS / 10
