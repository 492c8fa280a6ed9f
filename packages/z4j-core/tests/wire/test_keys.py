"""Key ids, secrets and DSNs: what a typing error is called, and what shows a secret."""

import copy
import pickle
from dataclasses import asdict, dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from z4j_core.errors import ConfigError
from z4j_core.wire import (
    Credential,
    KeyId,
    Secret,
    encode_key_id,
    encode_secret,
    parse_dsn,
    parse_key_id,
    parse_secret,
)

KEY = KeyId(bytes(range(16)), 1)
SECRET = Secret(bytes(range(32)))
KEY_ID = "z4k_aaaqeayeaudaocajbifqydiob4awxrag"
TEXT = "z4s_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dyp2luma"


def code_of(parse, *args):
    with pytest.raises(ConfigError) as error:
        parse(*args)
    assert TEXT not in str(error.value)
    return error.value.code


@given(
    st.binary(min_size=16, max_size=16), st.integers(1, 255), st.binary(min_size=32, max_size=32)
)
def test_keys_survive_being_written_down(cred_id, kid, secret):
    key = KeyId(cred_id, kid)

    assert parse_key_id(encode_key_id(key)) == key
    assert parse_secret(key, encode_secret(key, Secret(secret))) == Secret(secret)


def test_case_does_not_matter():
    assert parse_key_id(KEY_ID.upper()) == KEY
    assert parse_secret(KEY, TEXT.upper()) == SECRET


@pytest.mark.parametrize("text", ["", "z4k_", KEY_ID[:-1], KEY_ID + "a", "z4s_" + KEY_ID[4:]])
def test_a_key_id_of_another_shape_is_e101(text):
    assert code_of(parse_key_id, text) == "Z4J-E101"


@pytest.mark.parametrize("text", ["", "z4s_", TEXT[:-1], TEXT + "a", TEXT.replace("a", "1")])
def test_a_secret_of_another_shape_is_e101(text):
    assert code_of(parse_secret, KEY, text) == "Z4J-E101"


def test_every_single_typing_error_in_a_key_id_is_e102():
    for place in range(4, len(KEY_ID)):
        wrong = "b" if KEY_ID[place] != "b" else "c"
        assert code_of(parse_key_id, KEY_ID[:place] + wrong + KEY_ID[place + 1 :]) == "Z4J-E102"


def test_every_single_typing_error_in_a_secret_is_e103():
    for place in range(4, len(TEXT)):
        wrong = "b" if TEXT[place] != "b" else "c"
        assert code_of(parse_secret, KEY, TEXT[:place] + wrong + TEXT[place + 1 :]) == "Z4J-E103"


def test_the_secret_of_another_key_is_e103():
    for other in (KeyId(KEY.cred_id, 2), KeyId(b"\x01" * 16, 1)):
        assert code_of(parse_secret, other, TEXT) == "Z4J-E103"


@dataclass
class Settings:
    secret: Secret


def test_a10_a_secret_shows_itself_nowhere():
    shown = [repr(SECRET), str(SECRET), f"{SECRET}", f"{SECRET!r:>20}", repr(Settings(SECRET))]
    shown += [repr(Credential(KEY.cred_id, 1, SECRET)), repr(vars(Settings(SECRET)))]

    assert all("***" in text for text in shown)
    assert SECRET.reveal() not in pickle.dumps(SECRET)
    assert not any(repr(SECRET.reveal())[2:-1] in text for text in shown)


def test_a_secret_out_of_a_pickle_says_that_it_is_none():
    copied = pickle.loads(pickle.dumps(SECRET))

    assert code_of(copied.reveal) == "Z4J-E103"


def test_copies_of_a_secret_in_one_process_are_the_secret():
    assert copy.copy(SECRET) is SECRET
    assert asdict(Settings(SECRET))["secret"] is SECRET
    assert len({SECRET, Secret(bytes(range(32)))}) == 1
    assert bytes(range(32)) != SECRET


def test_a_dsn_says_where_the_brain_is_and_who_calls():
    dsn = parse_dsn(f"https://{KEY_ID}:{TEXT}@Brain.Example.com/ops/shop\n")

    assert dsn.url == "wss://brain.example.com:443/ops/api/agent/ws"
    assert (dsn.origin, dsn.prefix, dsn.project) == (
        "https://brain.example.com:443",
        "/ops",
        "shop",
    )
    assert (dsn.key_id, dsn.credential.secret) == (KEY, SECRET)
    assert parse_dsn(dsn.reveal()) == dsn


def test_a10_a_dsn_shows_no_secret():
    dsn = parse_dsn(f"https://{KEY_ID}:{TEXT}@brain.example.com:7075/shop")

    for text in (str(dsn), repr(dsn), f"{dsn}"):
        assert TEXT[4:] not in text
        assert KEY_ID in text
    assert str(dsn.key_id) == KEY_ID


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1:7075", "ws://127.0.0.1:7075/api/agent/ws"),
        ("127.9.9.9", "ws://127.9.9.9:80/api/agent/ws"),
        ("localhost", "ws://localhost:80/api/agent/ws"),
        ("[::1]:7075", "ws://[::1]:7075/api/agent/ws"),
    ],
)
def test_plain_http_may_dial_this_machine(host, url):
    assert parse_dsn(f"http://{KEY_ID}:{TEXT}@{host}/shop").url == url


@pytest.mark.parametrize("host", ["brain", "10.0.0.1", "localhost.evil.com", "[2001:db8::1]"])
def test_a11_plain_http_to_another_host_is_e104(host):
    assert code_of(parse_dsn, f"http://{KEY_ID}:{TEXT}@{host}/shop") == "Z4J-E104"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop",
        f"{KEY_ID}:{TEXT}@brain/shop",
        f"redis://{KEY_ID}:{TEXT}@brain/shop",
        f"https://{KEY_ID}:{TEXT}@/shop",
        f"https://{KEY_ID}:{TEXT}@brain",
        f"https://{KEY_ID}:{TEXT}@brain/",
        f"https://{KEY_ID}:{TEXT}@brain/Shop",
        f"https://{KEY_ID}:{TEXT}@brain/" + "a" * 65,
        f"https://{KEY_ID}:{TEXT}@brain:99999/shop",
        f"https://{KEY_ID}:{TEXT}@[::1/shop",
        f"https://{KEY_ID}:{TEXT}@brain/shop?",
        f"https://{KEY_ID}:{TEXT}@brain/shop#f",
        f"https://{KEY_ID}@brain/shop",
        f"https://:{TEXT}@brain/shop",
        "https://brain/shop",
        f"https://{KEY_ID}:%61{TEXT[1:]}@brain/shop",
    ],
)
def test_a_dsn_of_another_shape_is_e101(text):
    assert code_of(parse_dsn, text) == "Z4J-E101"


def test_typing_errors_inside_a_dsn_keep_their_codes():
    assert code_of(parse_dsn, f"https://{KEY_ID[:-1]}b:{TEXT}@brain/shop") == "Z4J-E102"
    assert code_of(parse_dsn, f"https://{KEY_ID}:{TEXT[:-1]}b@brain/shop") == "Z4J-E103"
