"""Values as bytes: one form each, nothing undeclared out of any bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from z4j_core.errors import WireError
from z4j_core.wire import codec, pack, spell, unpack

text = st.text(st.characters(blacklist_categories=("Cs",)))
plain = st.none() | st.booleans() | text | st.binary() | st.integers(-(2**63), 2**64 - 1)
plain |= st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    plain, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=30
)


@given(values)
def test_a_value_survives_the_wire(value):
    assert unpack(pack(value)) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "00"), (127, "7f"), (128, "cc80"), (256, "cd0100"), (65_536, "ce00010000"),
        (2**32, "cf0000000100000000"), (2**64 - 1, "cf" + "ff" * 8), (-1, "ff"), (-33, "d0df"),
        (-(2**63), "d38000000000000000"), ("a" * 31, "bf" + "61" * 31), ("a" * 32,
         "d920" + "61" * 32),
        (b"\x00", "c40100"), (1.5, "cb3ff8000000000000"), ([], "90"), ({}, "80"), (None, "c0"),
        (True, "c3"),
    ],
)  # fmt: skip
def test_each_value_has_its_shortest_form(value, expected):
    assert pack(value).hex() == expected


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, object(), {"set": {1}}, 1j])
def test_what_has_no_form_is_malformed(value):
    with pytest.raises(WireError) as error:
        pack(value)

    assert error.value.kind == "Malformed"


def test_text_that_is_no_unicode_is_spelt_out():
    value = {"a\ud800": ["\udc80", ("\udfff", 1, b"\xff")]}

    assert unpack(pack(value)) == {"a\\ud800": ["\\udc80", ["\\udfff", 1, b"\xff"]]}
    assert spell("caf\u00e9 \udc80") == "caf\u00e9 \\udc80"


@pytest.mark.parametrize("packed", ["8101c0", "81c40161c0", "81c0c0", "8190c0", "81c3c0"])
def test_map_keys_are_text(packed):
    with pytest.raises(WireError) as error:
        unpack(bytes.fromhex(packed))

    assert error.value.kind == "Malformed"


def test_sixteen_levels_are_allowed_and_seventeen_are_not():
    sixteen = b"\x91" * 16 + b"\xc0"

    assert unpack(sixteen)
    with pytest.raises(WireError) as error:
        unpack(b"\x91" + sixteen)
    assert error.value.kind == "Depth"


@pytest.mark.parametrize("length", [0, 15, 16, 65_535, 65_536])
def test_an_array_header_announces_its_length(length):
    data = codec.array_header(length) + b"\xc0" * length

    assert len(unpack(data, max_array=100_000)) == length


@given(st.binary(max_size=10_000))
def test_what_is_deflated_inflates_to_itself(data):
    assert codec.inflate(codec.deflate(data)) == data
