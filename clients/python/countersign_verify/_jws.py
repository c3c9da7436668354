"""A JWS in its compact serialisation (RFC 7515 section 3.1), read to the letter."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, NamedTuple, NoReturn

from .errors import VerifyError

_TOKEN_BYTES_MAX = 16 * 1024


class CompactJws(NamedTuple):
    header: dict[str, Any]
    signed: bytes
    """What the signature is over: header and payload as they were sent."""
    payload: bytes
    signature: bytes


def read_compact_jws(token: str) -> CompactJws:
    if len(token) > _TOKEN_BYTES_MAX or not token.isascii():
        raise VerifyError("malformed")
    parts = token.split(".", 3)
    if len(parts) != 3 or not all(parts):
        raise VerifyError("malformed")
    header, payload, signature = (decode_base64url(part) for part in parts)
    return CompactJws(read_json_object(header), token.rpartition(".")[0].encode(), payload, signature)


def decode_base64url(text: str) -> bytes:
    """RFC 7515 section 2, strictly: without padding, white space or spare bits, so that bytes have one spelling."""
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise VerifyError("malformed") from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != text:
        raise VerifyError("malformed")
    return decoded


def read_json_object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise VerifyError("malformed") from None
    if not isinstance(value, dict):
        raise VerifyError("malformed")
    return value


def _refuse_constant(name: str) -> NoReturn:
    """JSON has no NaN and no Infinity; Python's reader takes them."""
    raise ValueError(name)
