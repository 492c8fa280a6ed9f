"""Two implementations, one answer: on every vector, and on ten thousand random cases."""

import importlib.util
import json
import random
import sys
from pathlib import Path

import pytest
from z4j_core.errors import ConfigError, WireError
from z4j_core.spool import segment
from z4j_core.wire import (
    AgentSession,
    Credential,
    Secret,
    Watermark,
    admit,
    pack,
    pack_item,
    parse_key_id,
    parse_secret,
    snapshot_key,
    unpack,
    unpack_item,
)
from z4j_core.wire.handshake import derive, split_challenge, unpack_hello
from z4j_core.wire.items import Lost
from z4j_core.wire.keys import expand, mac, transcript_hash
from z4j_testing.wire import Pair, sample_task

VECTORS = Path(__file__).resolve().parents[4] / "spec" / "vectors"
FILES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(VECTORS.glob("*.json"))}


sys.path.insert(0, str(VECTORS))


def load(name):
    found = importlib.util.spec_from_file_location(name, VECTORS / f"{name}.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


reference = load("reference")


def of_dsn(given):
    key = parse_key_id(given[0])
    secret = parse_secret(key, given[1])
    return {"cred_id": key.cred_id.hex(), "kid": key.kid, "secret": secret.reveal().hex()}


def of_keys(given):
    cred_id, secret = bytes.fromhex(given["cred_id"]), bytes.fromhex(given["secret"])
    return snapshot_key(Credential(cred_id, given["kid"], Secret(secret))).hex()


def of_hello(given):
    unpack_hello(bytes.fromhex(given))
    return ""


def of_challenge(given):
    secret, hello = Secret(bytes.fromhex(given["secret"])), bytes.fromhex(given["hello"])
    said = unpack_hello(hello)
    agent = AgentSession(
        Credential(said.cred_id, said.kid, secret),
        url=said.url,
        project=said.project,
        nonce=said.nonce_a,
        now=0.0,
    )
    assert agent.hello() == hello
    challenge = agent.receive_challenge(bytes.fromhex(given["challenge"]))
    core, _ = split_challenge(bytes.fromhex(given["challenge"]))
    nonces = said.nonce_a + challenge.nonce_b
    keys, prk = derive(secret, nonces, hello, core), mac(nonces, secret.reveal())
    th = transcript_hash(hello, core)
    assert keys.proof == mac(expand(prk, b"brain proof", th), th)
    named = {"th": th, "prk": prk, **keys._asdict()}
    return {name: key.hex() for name, key in named.items()}


def of_records(given):
    pair = Pair()
    side = pair.brain if given["sender"] == "A" else pair.agent
    side._key_in, side._seq_in = bytes.fromhex(given["key"]), given["last"]
    received = side.receive(bytes.fromhex(given["record"]), 0.0)
    return "ignored" if received.type == 99 else "ok"


def of_items(given):
    return pack_item(unpack_item(bytes.fromhex(given))).hex()


def of_delivery(given):
    items = [Lost(0, 1, *span) if span else sample_task(1) for span in given["spans"]]
    found = admit(Watermark(*given["stored"]), given["epoch"], given["first"], items)
    return [found.skip, found.lost, *found.mark]


def of_spool(given):
    data, sealed = bytes.fromhex(given["bytes"]), given["sealed"]
    parsed = segment.parse(data, given["seed"], is_whole=True, is_sealed=sealed)
    return [body if body is None else body.hex() for body in parsed.bodies]


READERS = {name[3:]: reader for name, reader in globals().items() if name.startswith("of_")}
CASES = [(name, case) for name, cases in FILES.items() if name in READERS for case in cases]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n}: {c['name']}" for n, c in CASES])
def test_a_vector_gives_its_output_or_exactly_its_class(name, case):
    try:
        found, output = "ok", READERS[name](case["input"])
    except WireError as error:
        found, output = error.kind, None
    except ConfigError as error:
        found, output = error.code, None

    assert (found, output) == (case["expect"], case["output"])


def test_there_are_enough_vectors_and_each_class_of_the_wire_fails_at_least_once():
    expected = [case["expect"] for _, case in CASES]

    assert len(expected) == 296
    assert expected.count("ok") >= 60
    assert len(expected) - expected.count("ok") >= 140
    assert set(expected) >= {
        "Malformed", "Size", "Mac", "Header", "Seq", "Type", "Direction", "State", "Version",
        "Auth", "Refused", "Gap", "Epoch", "Depth", "Inflate",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(READERS))
def test_the_vectors_are_those_the_reference_makes(name):
    made = load("cases")

    assert (VECTORS / f"{name}.json").read_text("utf-8") == made.text_of(name)


def test_both_frame_an_item_in_the_same_bytes():
    body, seed = bytes.fromhex("9400010505"), 0x01020304

    framed = segment.frame(body, seed)

    assert framed == reference.frame(body, seed)
    assert framed.hex() == "7a34490000000005" + "4de86636" + "9400010505"


def some_value(rng, depth=4):
    kind = rng.randrange(9 if depth else 7)
    if kind == 0:
        return rng.choice((None, True, False))
    if kind == 1:
        return rng.randrange(2 ** rng.randrange(1, 65))
    if kind == 2:
        return -rng.randrange(1, 2 ** rng.randrange(1, 64))
    if kind == 3:
        return rng.uniform(-1e9, 1e9)
    if kind == 4:
        return rng.randbytes(rng.choice((0, 1, 31, 255, 256)))
    if kind in (5, 6):
        return "".join(
            chr(rng.choice((65, 228, 0x4E2D, 0x1F600))) for _ in range(rng.randrange(40))
        )
    if kind == 7:
        return [some_value(rng, depth - 1) for _ in range(rng.randrange(20))]
    return {str(n): some_value(rng, depth - 1) for n in range(rng.randrange(20))}


def test_both_write_and_read_the_same_bytes_for_ten_thousand_values():
    rng = random.Random(2)
    for _ in range(10_000):
        value = some_value(rng)
        packed = pack(value)
        assert packed == reference.pack(value)
        assert reference.unpack(packed) == unpack(packed) == value


def verdict(read, data):
    try:
        return "ok", read(data)
    except (WireError, reference.Fault):
        return "refused", None


def test_both_judge_ten_thousand_damaged_items_alike():
    rng = random.Random(3)
    good = [bytes.fromhex(case["input"]) for case in FILES["items"] if case["expect"] == "ok"]
    verdicts = set()
    for n in range(10_000):
        data = bytearray(good[n % len(good)])
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(data))
            data[at : at + rng.randint(0, 2)] = rng.randbytes(rng.randint(0, 2))
        ours = verdict(lambda one: pack_item(unpack_item(one)), bytes(data))
        assert ours == verdict(reference.item, bytes(data)), bytes(data).hex()
        verdicts.add(ours[0])
    assert verdicts == {"ok", "refused"}


def test_both_judge_ten_thousand_damaged_values_alike():
    rng = random.Random(4)
    for _ in range(10_000):
        data = bytearray(pack([some_value(rng, 2) for _ in range(3)]))
        data[rng.randrange(len(data))] = rng.randrange(256)
        ours = verdict(unpack, bytes(data))
        assert ours == verdict(reference.unpack, bytes(data)), bytes(data).hex()
