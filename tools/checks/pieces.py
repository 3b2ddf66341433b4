"""SentencePiece models with other pieces: what a stranger can write into a valid vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

PIECES, PIECE = b"\x0a", b"\x0a"
"""The first byte of `ModelProto.pieces` and, within one, of its string: field 1, with a length."""


def with_pieces(model: bytes, changed: Mapping[int, bytes]) -> bytes:
    """The model with other strings for some token ids, whose scores and types stay."""
    found, number = b"", 0
    for key, content in _fields(model):
        if key == PIECES:
            if number in changed:
                (_, old), *_ = _fields(content)
                rest = content[len(PIECE + _length(len(old))) + len(old) :]
                content = PIECE + _length(len(changed[number])) + changed[number] + rest
            number += 1
        found += key + _length(len(content)) + content
    return found


def _fields(message: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Key and content of the fields of a message, as long as they have a length."""
    at = 0
    while at < len(message) and message[at] & 7 == 2:
        key, (size, start) = message[at : at + 1], _number(message, at + 1)
        yield key, message[start : start + size]
        at = start + size


def _number(message: bytes, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


def _length(value: int) -> bytes:
    found = b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])
