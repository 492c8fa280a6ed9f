"""The protocol between agents and brain. The rule: no I/O; bytes in, bytes and typed bodies out."""

from .agent_side import AgentSession
from .brain_side import BrainSession
from .codec import pack, spell, unpack
from .codes import (
    MAX_HANDSHAKE_BYTES,
    MAX_ITEM_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_RECORD_BYTES,
    PATH,
    PROBE,
    PROTOCOL,
    VERSION,
    CloseCode,
    Fault,
    RecordType,
)
from .delivery import Admitted, Watermark, admit
from .dsn import Dsn, parse_dsn
from .events import Batch, Head, Poison, decode_events, events_body, split_events
from .handshake import Challenge, Hello
from .items import Item, Tag, pack_item, unpack_item
from .keys import (
    Credential,
    KeyId,
    Secret,
    decoy_secret,
    encode_key_id,
    encode_secret,
    parse_key_id,
    parse_secret,
    snapshot_key,
)
from .nonces import Nonces
from .session import HANDSHAKE_S, Received, State

__all__ = [
    "HANDSHAKE_S", "MAX_HANDSHAKE_BYTES", "MAX_ITEM_BYTES", "MAX_MESSAGE_BYTES",
    "MAX_RECORD_BYTES", "PATH", "PROBE", "PROTOCOL", "VERSION", "Admitted", "AgentSession", "Batch",
    "BrainSession", "Challenge", "CloseCode", "Credential", "Dsn", "Fault", "Head", "Hello",
    "Item", "KeyId", "Nonces", "Poison", "Received", "RecordType", "Secret", "State", "Tag",
    "Watermark", "admit", "decode_events", "decoy_secret", "encode_key_id", "encode_secret",
    "events_body", "pack", "pack_item", "parse_dsn", "parse_key_id", "parse_secret",
    "snapshot_key", "spell", "split_events", "unpack", "unpack_item",
]  # fmt: skip
