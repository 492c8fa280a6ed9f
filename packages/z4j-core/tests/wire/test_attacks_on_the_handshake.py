"""Named attacks before a session stands: who learns what, and where each attempt dies."""

import hashlib
import statistics
from time import perf_counter_ns

import pytest
from z4j_core.errors import WireError
from z4j_core.wire import AgentSession, BrainSession, KeyId, Nonces, Secret, State, decoy_secret
from z4j_core.wire.codes import RecordType
from z4j_core.wire.handshake import unpack_core, unpack_hello
from z4j_testing.wire import CREDENTIAL, REGISTER, URL, WELCOME, Pair, flipped

SECRET = CREDENTIAL.secret
OTHER = Secret(b"\x66" * 32)
WSS = "wss://brain.example.com:443/api/agent/ws"


def agent_of(credential=CREDENTIAL, url=URL, nonce=b"\xa1" * 32):
    return AgentSession(credential, url=url, project="demo", nonce=nonce, now=0.0)


def brain_of(nonce=b"\xb2" * 32, nonces=None, max_rec=262_144):
    return BrainSession(brain_id=b"\xb0" * 16, nonce=nonce, now=0.0, nonces=nonces, max_rec=max_rec)


def repacked(challenge, **changes):
    """A challenge with altered terms and the proof of the original."""
    from z4j_core.wire.handshake import pack_core

    core, proof = challenge[:-32], challenge[-32:]
    return pack_core(unpack_core(core)._replace(**changes)) + proof


def refused(agent, challenge):
    with pytest.raises(WireError) as error:
        agent.receive_challenge(challenge)
    assert agent.state is State.CLOSED
    return error.value


def test_w1_a_brain_without_the_key_gets_nothing_but_hello():
    agent, fake = agent_of(), brain_of()
    hello = agent.hello()
    fake.receive_hello(hello)

    error = refused(agent, fake.challenge(OTHER))

    assert (error.kind, error.close_code) == ("Auth", 4401)
    assert SECRET.reveal() not in hello
    with pytest.raises(WireError) as silent:
        agent.register(REGISTER)
    assert silent.value.kind == "State"


def test_w2_an_agent_without_the_key_fails_at_the_decoys_proof():
    agent, brain = agent_of(CREDENTIAL._replace(secret=OTHER)), brain_of()
    brain.receive_hello(agent.hello())
    decoy = decoy_secret(b"\x0d" * 32, brain.key_id)

    error = refused(agent, brain.challenge(decoy))

    assert error.kind == "Auth"


def test_w2_an_agent_that_skips_the_proof_fails_at_its_own():
    agent, brain = agent_of(CREDENTIAL._replace(secret=OTHER)), brain_of()
    hello = agent.hello()
    brain.receive_hello(hello)
    brain.challenge(SECRET)
    dishonest = Pair(credential=CREDENTIAL._replace(secret=OTHER))

    with pytest.raises(WireError) as error:
        brain.receive(dishonest.agent._seal(RecordType.UPDATE, b"\x80"), 0.0)

    assert (error.value.kind, error.value.close_code) == ("Mac", 4401)
    assert brain.state is State.CLOSED


def test_w3_a_replayed_hello_and_register_die_at_the_fresh_nonce():
    seen = Pair(opened=False)
    hello = seen.agent.hello()
    seen.brain.receive_hello(hello)
    seen.agent.receive_challenge(seen.brain.challenge(SECRET))
    register = seen.agent.register(REGISTER)
    brain = brain_of(nonce=b"\xc3" * 32)
    brain.receive_hello(hello)
    brain.challenge(SECRET)

    with pytest.raises(WireError) as error:
        brain.receive(register, 0.0)

    assert error.value.kind == "Mac"


def test_w12_a_version_range_changed_on_the_way_breaks_the_proof():
    agent, brain = agent_of(), brain_of()
    hello = bytearray(agent.hello())
    hello[1] = 1
    brain.receive_hello(bytes(hello))

    assert refused(agent, brain.challenge(SECRET)).kind == "Auth"


@pytest.mark.parametrize(("vmin", "vmax"), [(0, 1), (3, 9)])
def test_w12_no_version_in_common_is_told_by_its_code(vmin, vmax):
    hello = bytearray(agent_of().hello())
    hello[1:3] = bytes((vmin, vmax))

    with pytest.raises(WireError) as error:
        brain_of().receive_hello(bytes(hello))

    assert (error.value.kind, error.value.close_code) == ("Version", 4426)


@pytest.mark.parametrize(
    "changes", [{"max_rec": 1}, {"credit": 64}, {"refuse": 4403}, {"detail": "x"}, {"ver": 1}]
)
def test_w13_terms_changed_in_the_challenge_break_the_proof(changes):
    agent, brain = agent_of(), brain_of()
    brain.receive_hello(agent.hello())

    assert refused(agent, repacked(brain.challenge(SECRET), **changes)).kind == "Auth"


def test_w13_every_bit_of_the_challenge_is_covered():
    agent, brain = agent_of(), brain_of()
    brain.receive_hello(agent.hello())
    challenge = brain.challenge(SECRET)

    for bit in range(len(challenge) * 8):
        agent = agent_of()
        agent.hello()
        assert refused(agent, flipped(challenge, bit)).kind == "Auth", bit


def test_w14_a_relay_shows_the_brain_the_url_that_was_dialled():
    agent, brain = agent_of(url="wss://evil.example:443/api/agent/ws"), brain_of()
    hello = agent.hello()
    honest = agent_of(url="wss://good.example:443/api/agent/ws").hello()

    assert brain.receive_hello(hello).url == "wss://evil.example:443/api/agent/ws"
    rewritten = brain_of()
    rewritten.receive_hello(honest)
    assert refused(agent, rewritten.challenge(SECRET)).kind == "Auth"


def test_w15_the_certificate_the_agent_saw_is_bound_to_the_keys():
    seen = hashlib.sha256(b"certificate of the proxy").digest()
    agent, brain = agent_of(url=WSS), brain_of()
    hello = brain.receive_hello(agent.hello(seen))
    stripped = brain_of()
    stripped.receive_hello(agent_of(url=WSS).hello())

    assert (hello.cb_type, hello.cb) == (1, seen)
    assert refused(agent, stripped.challenge(SECRET)).kind == "Auth"


def test_w16_a_decoy_looks_like_a_true_challenge():
    true, decoy = brain_of(), brain_of()
    hello = agent_of().hello()
    true.receive_hello(hello)
    decoy.receive_hello(hello)
    root = b"\x0d" * 32

    shown = decoy.challenge(decoy_secret(root, decoy.key_id))

    assert len(shown) == len(true.challenge(SECRET))
    assert unpack_core(shown[:-32]).refuse == 0
    assert decoy_secret(root, decoy.key_id) == decoy_secret(root, decoy.key_id)
    assert decoy_secret(root, decoy.key_id) != decoy_secret(root, KeyId(b"\x01" * 16, 1))


def test_w16_a_decoy_takes_as_long_as_a_true_challenge():
    hello = agent_of().hello()
    secrets = {"true": lambda key: SECRET, "decoy": lambda key: decoy_secret(b"\x0d" * 32, key)}
    took = {"true": [], "decoy": []}

    for _ in range(1_000):
        for name, secret in secrets.items():
            brain = brain_of()
            brain.receive_hello(hello)
            start = perf_counter_ns()
            brain.challenge(secret(brain.key_id))
            took[name].append(perf_counter_ns() - start)

    difference = statistics.median(took["true"]) - statistics.median(took["decoy"])
    assert abs(difference) < 1_000_000


def test_w30_a_repeated_nonce_of_a_proven_agent_is_refused():
    nonces = Nonces()
    Pair(nonces=nonces)

    with pytest.raises(WireError, match="broken randomness") as error:
        Pair(nonces=nonces)

    assert (error.value.kind, error.value.close_code) == ("Auth", 4401)


def test_w30_strangers_cannot_fill_the_memory_of_nonces():
    nonces = Nonces()
    for salt in range(10):
        stranger = brain_of(nonces=nonces)
        stranger.receive_hello(agent_of(nonce=bytes((salt,)) * 32).hello())
        stranger.challenge(decoy_secret(b"\x0d" * 32, stranger.key_id))

    assert nonces._seen == {}


def test_w30_a_nonce_is_free_again_after_a_day_and_the_memory_is_bounded():
    nonces = Nonces(capacity=2)
    nonces.use(b"c", b"1", 0.0)
    nonces.use(b"c", b"1", 86_400.0)
    nonces.use(b"c", b"2", 86_401.0)
    nonces.use(b"c", b"3", 86_402.0)

    nonces.use(b"c", b"1", 86_403.0)

    assert len(nonces._seen) == 2


def test_a_live_key_refused_for_another_reason_is_told_the_cause():
    agent, brain = agent_of(), brain_of()
    brain.receive_hello(agent.hello())

    error = refused(agent, brain.challenge(SECRET, refuse=4406, detail="URL not allowed"))

    assert (error.kind, error.close_code, str(error)) == ("Refused", 4406, "URL not allowed")
    assert brain.state is State.CLOSED


def test_handshake_messages_are_small_and_exact():
    hello = agent_of().hello()
    cases = {
        "Size": [b"\xc5" + b"\x10\x01" + b"x" * 4_097],
        "Malformed": [
            b"",
            hello + b"\x00",
            hello[:-1],
            b"\x90",
            b"\x80",
            hello.replace(b"demo", b"\xff\xfe\xfd\xfc"),
        ],
        "Depth": [b"\x91" * 40 + b"\xc0"],
    }

    for kind, messages in cases.items():
        for message in messages:
            with pytest.raises(WireError) as error:
                unpack_hello(message)
            assert error.value.kind == kind, message

    for size in (0, 32, 4_097):
        agent = agent_of()
        agent.hello()
        assert refused(agent, b"x" * size).kind == "Size"


def test_a_hello_may_neither_lack_nor_add_an_element():
    hello = agent_of().hello()

    for longer_or_shorter in (
        b"\x9a" + hello[1:] + b"\xc0",
        b"\x98" + hello[1 : -len(b"demo") - 1],
    ):
        with pytest.raises(WireError, match="another length"):
            unpack_hello(longer_or_shorter)


def test_a_challenge_of_another_version_is_told_as_such():
    from z4j_core.wire.handshake import Challenge, derive, pack_core

    agent = agent_of()
    hello = agent.hello()
    core = pack_core(Challenge(3, b"\xb0" * 16, b"\xb2" * 32, 0, "", 1, 1))
    proof = derive(SECRET, b"\xa1" * 32 + b"\xb2" * 32, hello, core).proof

    assert refused(agent, core + proof).kind == "Version"


def test_a_binding_longer_than_64_bytes_is_malformed():
    agent = agent_of()

    with pytest.raises(WireError, match="cb: not bin"):
        brain_of().receive_hello(agent.hello(b"x" * 65))


def test_register_must_fit_four_kibibytes_in_both_directions():
    pair = Pair(opened=False)
    pair.shake()
    from dataclasses import replace

    big = replace(REGISTER, tags={f"tag-{n}": "v" * 100 for n in range(50)})

    with pytest.raises(WireError) as error:
        pair.agent.register(big)
    assert error.value.kind == "Size"

    pair.agent.register(REGISTER)
    with pytest.raises(WireError) as early:
        pair.brain.receive(b"\x02" * 4_097, 0.0)
    assert early.value.kind == "Size"


def test_session_keys_do_not_show_themselves():
    from z4j_core.wire.handshake import SessionKeys

    assert repr(SessionKeys(b"p", b"a", b"b")) == "SessionKeys(***)"


def test_welcome_opens_the_session_on_both_sides():
    pair = Pair()

    assert pair.agent.state is pair.brain.state is State.OPEN
    assert pair.agent.welcome == pair.brain.welcome == WELCOME
    assert pair.agent.credit == 8
