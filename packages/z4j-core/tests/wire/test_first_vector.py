"""The byte-exact case every implementation starts with."""

from z4j_core.wire import (
    AgentSession,
    BrainSession,
    Credential,
    KeyId,
    Secret,
    encode_key_id,
    encode_secret,
    pack,
    pack_item,
    parse_key_id,
    parse_secret,
    snapshot_key,
)
from z4j_core.wire.handshake import Challenge, Hello, derive, pack_core, pack_hello
from z4j_core.wire.items import Lost
from z4j_core.wire.keys import mac, transcript_hash
from z4j_core.wire.records import Record, seal

SECRET = Secret(bytes(range(32)))
KEY = KeyId(bytes(range(16)), 1)
URL = "wss://brain.example.com:443/api/agent/ws"
HELLO = pack_hello(Hello(2, 2, KEY.cred_id, 1, b"\xa1" * 32, 0, b"", URL, "shop"))
CORE = pack_core(Challenge(2, b"\xb0" * 16, b"\xb2" * 32, 0, "", 262144, 8))
KEYS = derive(SECRET, b"\xa1" * 32 + b"\xb2" * 32, HELLO, CORE)


def test_key_id_and_secret_are_spelt_as_documented():
    assert encode_key_id(KEY) == "z4k_aaaqeayeaudaocajbifqydiob4awxrag"
    assert (
        encode_secret(KEY, SECRET) == "z4s_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dyp2luma"
    )
    assert parse_key_id("z4k_aaaqeayeaudaocajbifqydiob4awxrag") == KEY
    assert parse_secret(KEY, encode_secret(KEY, SECRET)) == SECRET


def test_hello_core_and_transcript_have_the_documented_bytes():
    assert len(HELLO) == 106
    assert HELLO.hex().startswith("990202c410000102")
    assert len(CORE) == 62
    assert CORE.hex().startswith("9702c410b0b0")
    assert (
        transcript_hash(HELLO, CORE).hex()
        == "a061dde2ac26a27392c9ad2daed69b18f7efa1fc0453b539b165a019e2fac527"
    )


def test_keys_of_the_session_are_the_documented_ones():
    prk = mac(b"\xa1" * 32 + b"\xb2" * 32, SECRET.reveal())

    assert prk.hex() == "7855f2027e9fe4f0cdadf051a172f16436269a817f1e4f0dd2dce3d1678775eb"
    assert KEYS.proof.hex() == "2190e48919cca1131dba4912afa781097c006cc99e632d523028635abcc8d182"
    assert KEYS.to_brain.hex() == "542a7e5f3ea3485eff50c3e7030b8df51099d52dcfd73c24f3f5147c2632027d"
    assert KEYS.to_agent.hex() == "31041042712f59eb3b1e2fb1b7fa082e01aa2b1cb90ead5172b8fbb3eb236340"


def test_a_record_has_the_documented_bytes():
    record = seal(KEYS.to_brain, Record(1, 0, 1, pack({"worker": "w"})))

    assert record.hex() == (
        "020100000000000000000001"
        "99abc637243543d1c06b6946132c0ccef4556e113249ddec3c467b87c22406ce"
        "81a6776f726b6572a177"
    )


def test_the_snapshot_key_is_the_documented_one():
    assert (
        snapshot_key(Credential(KEY.cred_id, 1, SECRET)).hex()
        == "ff603f1836b5f5e2b67ab2623a65140f2e2af904cf356355e3f5ac1582113e1d"
    )


def test_an_item_has_the_documented_bytes():
    assert pack_item(Lost(0, 1, 5, 5)).hex() == "9400010505"


def test_both_sides_of_a_session_say_exactly_these_bytes():
    agent = AgentSession(
        Credential(KEY.cred_id, 1, SECRET), url=URL, project="shop", nonce=b"\xa1" * 32, now=0.0
    )
    brain = BrainSession(brain_id=b"\xb0" * 16, nonce=b"\xb2" * 32, now=0.0)

    hello = agent.hello()
    brain.receive_hello(hello)
    challenge = brain.challenge(SECRET)

    assert hello == HELLO
    assert challenge == CORE + KEYS.proof
