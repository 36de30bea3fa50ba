"""How an entry looks as bytes: it names its own key and carries its digest, so that damage or a swap shows.

    magic (4) | version (2) | address length (2) | payload length (8) | address | SHA-256 (32) | payload

Numbers are big-endian. The digest covers everything else in the frame.
"""

import hashlib
import struct

_MAGIC = b"HSCP"
_VERSION = 1
_HEADER = struct.Struct(">4sHHQ")
_DIGEST_BYTES = hashlib.sha256().digest_size


class BadFrame(ValueError):
    """Bytes that are not the whole, unchanged entry of the address they were found under."""


def pack(address: str, payload: bytes) -> bytes:
    """The entry that is stored for `payload` under `address`."""
    name = address.encode()
    head = _HEADER.pack(_MAGIC, _VERSION, len(name), len(payload)) + name
    return head + _digest(head, payload) + payload


def unpack(address: str, frame: bytes) -> bytes:
    """The payload that was packed for this very address; raises `BadFrame` for anything else."""
    name = address.encode()
    start = _HEADER.size + len(name) + _DIGEST_BYTES
    payload = frame[start:]
    head = _HEADER.pack(_MAGIC, _VERSION, len(name), len(payload)) + name
    if frame[:start] != head + _digest(head, payload):
        raise BadFrame(f"The entry {address} is damaged ({len(frame)} bytes) or belongs to another key.")
    return payload


def _digest(head: bytes, payload: bytes) -> bytes:
    return hashlib.sha256(head + payload).digest()
