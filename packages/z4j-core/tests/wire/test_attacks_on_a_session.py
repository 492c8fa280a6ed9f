"""Named attacks on an open session: each is refused with its class and closes it."""

import zlib

import msgpack
import pytest
from z4j_core.errors import WireError
from z4j_core.wire import State, Watermark, admit, decode_events, pack, pack_item
from z4j_core.wire.bodies import Ack, Actor, Close, Command, Mark, Want
from z4j_core.wire.codec import array_header
from z4j_core.wire.codes import FLAG_CRITICAL, FLAG_DEFLATE, RecordType
from z4j_core.wire.events import Poison
from z4j_core.wire.items import Lost, Tag
from z4j_core.wire.records import Record, seal
from z4j_testing.wire import REGISTER, WELCOME, Pair, flipped, renumbered, sample_task

_T = RecordType
WANT = (Want(1, "toy", "app", 0),)
COMMAND = Command(b"c" * 16, "retry", "toy", "app", ("1",), {}, 1, Actor("u", "U", "web"), "", 0)


def refused(side, data):
    with pytest.raises(WireError) as error:
        side.receive(data, 1_000.0)
    assert side.state is State.CLOSED
    return error.value.kind


def forged(pair, type_, body, flags=0, seq=None):
    """A record of an agent that holds the key and means harm."""
    number = pair.agent.records_sent + 1 if seq is None else seq
    return seal(pair.agent._key_out, Record(type_, flags, number, body))


def test_w4_a_record_of_another_session_is_refused():
    one, other = Pair(), Pair(salt=1)

    assert refused(other.brain, one.agent.send(_T.WANT, WANT)) == "Mac"


def test_w5_a_record_reflected_to_its_sender_is_refused_in_both_directions():
    pair, again = Pair(), Pair()

    assert refused(pair.agent, pair.agent.send(_T.WANT, WANT)) == "Mac"
    assert refused(again.brain, again.brain.send(_T.WANT, WANT)) == "Mac"


def test_w6_a_lost_record_is_noticed():
    pair = Pair()
    pair.agent.send(_T.WANT, WANT)

    assert refused(pair.brain, pair.agent.send(_T.WANT, WANT)) == "Seq"


def test_w6_a_lost_frame_cannot_be_hidden_by_renumbering_the_next():
    pair = Pair()
    pair.carry(_T.WANT, WANT)
    lost = pair.agent.send(_T.WANT, WANT)
    after = pair.agent.send(_T.WANT, WANT)

    assert refused(pair.brain, renumbered(after, int.from_bytes(lost[4:12], "big"))) == "Mac"


def test_w7_a_duplicate_is_refused():
    pair = Pair()
    pair.carry(_T.WANT, WANT)

    assert refused(pair.brain, pair.last) == "Seq"


def test_w7_a_duplicate_batch_is_refused():
    pair = Pair()
    pair.carry_events(1, [pack_item(sample_task(1))])

    assert refused(pair.brain, pair.last) == "Seq"


def test_w8_reordered_records_are_refused():
    pair = Pair()
    pair.agent.send(_T.WANT, WANT)
    second = pair.agent.send(_T.WANT, WANT)

    assert refused(pair.brain, second) == "Seq"


def test_w9_truncated_and_extended_records_are_refused():
    record = Pair().agent.send(_T.WANT, WANT)

    for size in range(len(record)):
        assert refused(Pair().brain, record[:size]) == ("Size" if size < 44 else "Mac")
    assert refused(Pair().brain, record + b"\x00") == "Mac"
    assert refused(Pair().brain, record + bytes(262_145)) == "Size"


def test_w10_every_bit_of_the_header_is_covered():
    record = Pair().agent.send(_T.WANT, WANT)

    assert {refused(Pair().brain, flipped(record, bit)) for bit in range(44 * 8)} == {"Mac"}


def test_w11_every_bit_of_the_body_is_covered():
    record = Pair().agent.send(_T.WANT, WANT)
    bits = range(44 * 8, len(record) * 8)

    assert {refused(Pair().brain, flipped(record, bit)) for bit in bits} == {"Mac"}


def test_a_wrong_header_under_a_good_mac_is_refused_by_its_own_class():
    for flags in range(1, 15):
        pair = Pair()
        assert refused(pair.brain, forged(pair, _T.WANT, pack(WANT), 1 << flags)) == "Header"


def test_another_version_byte_under_a_good_mac_is_refused():
    pair = Pair()
    head = b"\x03" + forged(pair, _T.WANT, pack(WANT))[1:12]
    from z4j_core.wire.keys import mac

    body = pack(WANT)
    record = head + mac(pair.agent._key_out, head + body) + body

    assert refused(pair.brain, record) == "Header"


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("nesting", b"\x91" * 100 + b"\xc0", "Depth"),
        ("nesting beyond any stack", b"\x91" * 200_000 + b"\xc0", "Depth"),
        ("17 levels", b"\x91" * 17 + b"\xc0", "Depth"),
        ("maps in maps", b"\x81\xa1a" * 17 + b"\xc0", "Depth"),
        ("array of 2^32-1", b"\xdd\xff\xff\xff\xff", "Malformed"),
        ("map of 2^32-1", b"\xdf\xff\xff\xff\xff", "Malformed"),
        ("array of 4097", array_header(4_097) + b"\x90" * 4_097, "Malformed"),
        ("map of 257", b"\xde\x01\x01" + b"\xa1a\xc0" * 257, "Malformed"),
        ("text of 2^32-1", b"\xdb\xff\xff\xff\xff", "Malformed"),
        ("ext", b"\x91\xd4\x05\x00", "Malformed"),
        ("timestamp", b"\x91\xd6\xff\x00\x00\x00\x00", "Malformed"),
        ("bad UTF-8", b"\x91\xa2\xff\xfe", "Malformed"),
        ("int key", b"\x91\x81\x01\x01", "Malformed"),
        ("bytes key", b"\x91\x81\xc4\x01a\x01", "Malformed"),
        ("array key", b"\x91\x81\x90\x01", "Malformed"),
        ("NaN", b"\x91\xcb\x7f\xf8" + bytes(6), "Malformed"),
        ("infinity", b"\x91\xcb\x7f\xf0" + bytes(6), "Malformed"),
        ("trailing byte", pack(WANT) + b"\xc0", "Malformed"),
        ("nothing", b"", "Malformed"),
        ("cut", pack(WANT)[:-1], "Malformed"),
        ("reserved byte", b"\xc1", "Malformed"),
        ("2^64-1 where u8 is due", b"\x91\x94\xcf" + b"\xff" * 8 + b"\xa0\xa0\x00", "Malformed"),
    ],
)  # fmt: skip
def test_w22_hostile_bytes_under_a_good_mac_end_in_one_declared_error(name, body, kind):
    pair = Pair()

    assert refused(pair.brain, forged(pair, _T.WANT, body)) == kind, name


def test_w22_of_equal_keys_the_last_counts_and_nothing_else_happens():
    pair = Pair()

    received = pair.brain.receive(forged(pair, _T.UPDATE, b"\x82\xa3pid\x01\xa3pid\x02"), 0.0)

    assert received.body == {"pid": 2}


def test_w23_a_deflate_bomb_is_refused_before_it_is_large():
    pair = Pair()
    bomb = zlib.compressobj(9, wbits=-15)
    body = bomb.compress(bytes(1_048_577)) + bomb.flush()

    assert len(body) < 2_000
    assert refused(pair.brain, forged(pair, _T.EVENTS, body, FLAG_DEFLATE)) == "Inflate"


@pytest.mark.parametrize("broken", [b"", b"\xff\xff", b"cut", b"tail"])
def test_w23_a_broken_cut_or_continued_deflate_stream_is_refused(broken):
    pair = Pair()
    squeeze = zlib.compressobj(1, wbits=-15)
    good = squeeze.compress(pack([1, 1, 0, []])) + squeeze.flush()
    body = {b"cut": good[:-1], b"tail": good + b"x"}.get(broken, broken)

    assert refused(pair.brain, forged(pair, _T.EVENTS, body, FLAG_DEFLATE)) == "Inflate"


def test_w23_a_deflated_command_is_refused():
    pair = Pair()
    squeeze = zlib.compressobj(1, wbits=-15)
    body = squeeze.compress(pack(COMMAND)) + squeeze.flush()
    record = seal(pair.brain._key_out, Record(_T.COMMAND, FLAG_DEFLATE, 2, body))

    assert refused(pair.agent, record) == "Header"


def test_w27_a_zombie_is_fenced_by_the_epoch():
    with pytest.raises(WireError) as error:
        admit(Watermark(epoch=2, upto=10), 1, 11, [sample_task(1)])

    assert (error.value.kind, error.value.close_code) == ("Epoch", 4409)


@pytest.mark.parametrize("first", [0, -1, 12, 2**64 - 1])
def test_w29_an_offset_that_leaves_a_hole_is_refused(first):
    with pytest.raises(WireError) as error:
        admit(Watermark(1, 10), 1, first, [sample_task(1)])

    assert (error.value.kind, error.value.close_code) == ("Gap", 4410)


def test_w29_offsets_end_before_2_to_the_64():
    beyond = Lost(Tag.LOST, 1, 1, 2**64 - 1)

    with pytest.raises(WireError) as error:
        admit(Watermark(1, 10), 1, 11, [beyond])

    assert error.value.kind == "Gap"


def test_w31_a_sequence_number_never_wraps():
    pair = Pair()
    pair.agent._seq_out = 2**32
    with pytest.raises(WireError) as error:
        pair.agent.send(_T.WANT, WANT)
    assert error.value.kind == "Seq"

    pair.brain._seq_in = 2**32
    assert refused(pair.brain, forged(pair, _T.WANT, pack(WANT), seq=2**32 + 1)) == "Seq"


def test_w35_one_poison_item_among_500_costs_nobody_else():
    bodies = [pack_item(sample_task(n)) for n in range(500)]
    bodies[250] = msgpack.packb([1, "poison"])
    pair = Pair()

    received = pair.carry_events(1, bodies)
    batch = decode_events(received.raw)
    admitted = admit(Watermark(1, 0), 1, batch.head.first, batch.items)

    poisoned = [one for one in batch.items if isinstance(one, Poison)]
    assert [one.data for one in poisoned] == [bodies[250]]
    assert sum(one == sample_task(n) for n, one in enumerate(batch.items)) == 499
    assert admitted.mark.upto == 500


def test_a_type_for_the_other_side_is_refused_on_both_ends():
    pair = Pair()
    with pytest.raises(WireError) as error:
        pair.agent.send(_T.ACK, Ack((Mark(1, 1),), 8))
    assert error.value.kind == "Direction"
    assert pair.agent.state is State.OPEN

    assert refused(pair.brain, forged(pair, _T.ACK, pack(Ack((), 8)))) == "Direction"


@pytest.mark.parametrize("type_", [_T.REGISTER, _T.WELCOME])
def test_an_open_session_is_not_opened_again(type_):
    pair = Pair()

    with pytest.raises(WireError) as error:
        pair.carry(type_, REGISTER if type_ == _T.REGISTER else WELCOME)

    assert error.value.kind == "State"


@pytest.mark.parametrize("type_", [_T.WANT, 99])
def test_nothing_but_register_may_come_first(type_):
    pair = Pair(opened=False)
    pair.shake()

    assert refused(pair.brain, forged(pair, type_, pack(WANT))) == "State"


def test_nothing_is_received_before_the_challenge_or_after_the_end():
    pair = Pair(opened=False)
    assert refused(pair.brain, b"") == "State"

    ended = Pair()
    ended.carry(_T.CLOSE, Close(4503, "draining", 1))
    assert ended.agent.state is ended.brain.state is State.CLOSED
    assert refused(ended.brain, b"") == "State"


def test_an_unknown_type_is_ignored_unless_it_is_critical():
    pair = Pair()

    ignored = pair.brain.receive(forged(pair, 99, b"\x00"), 0.0)
    assert (ignored.type, ignored.body, ignored.raw) == (99, None, b"\x00")

    pair.agent.send(_T.WANT, WANT)
    with pytest.raises(WireError) as error:
        pair.brain.receive(forged(pair, 99, b"\x00", FLAG_CRITICAL), 0.0)
    assert (error.value.kind, error.value.close_code) == ("Type", 4426)


def test_params_larger_than_64_kib_are_refused():
    pair = Pair()

    with pytest.raises(WireError) as error:
        pair.carry(_T.COMMAND, COMMAND._replace(params={"args": "x" * 65_536}))

    assert error.value.kind == "Size"
