"""Requests for JSON, bounded in time and size, without redirects."""

from __future__ import annotations

import email.utils
import ipaddress
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from typing import Any, Mapping, NamedTuple

from .errors import FetchError

_ANSWER_BYTES_MAX = 256 * 1024


class JsonAnswer(NamedTuple):
    body: Any
    fresh_seconds: float | None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def fetch_json(
    url: str, timeout: float, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> JsonAnswer:
    """Asks for JSON: by POST where there is a body. Raises FetchError for every other answer, and for none."""
    what = f"{'GET' if body is None else 'POST'} {url}"
    request = urllib.request.Request(url, data=body, headers={"accept": "application/json", **(headers or {})})
    try:
        with _opener.open(request, timeout=timeout) as response:
            answer, fields = _read(response, what, timeout), response.headers
    except urllib.error.HTTPError as error:
        with error:
            raise FetchError(f"{what}: status {error.code}", error.code, _retry_after(error.headers)) from None
    except (OSError, ValueError) as error:
        raise FetchError(f"{what}: no answer") from error
    try:
        return JsonAnswer(json.loads(answer.decode()), _freshness(fields))
    except (ValueError, RecursionError):
        raise FetchError(f"{what}: the answer is not JSON") from None


def _read(response: Any, what: str, timeout: float) -> bytes:
    """The socket's timeout is for each read; a peer that trickles must end too."""
    end = time.monotonic() + timeout
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read1(65536):
        chunks.append(chunk)
        size += len(chunk)
        if size > _ANSWER_BYTES_MAX:
            raise FetchError(f"{what}: the answer is too long")
        if time.monotonic() > end:
            raise FetchError(f"{what}: no answer")
    return b"".join(chunks)


def _freshness(headers: Message) -> float | None:
    found = re.search(r"(?:^|[\s,])max-age=\"?(\d{1,9})", headers.get("cache-control", ""), re.IGNORECASE)
    if found is None:
        return None
    age = headers.get("age", "0")
    return max(0.0, float(found[1]) - (float(age) if re.fullmatch(r"\d{1,9}", age) else 0.0))


def _retry_after(headers: Message) -> float | None:
    """RFC 9110 section 10.2.3: seconds, or a date."""
    value = headers.get("retry-after")
    if value is None:
        return None
    if re.fullmatch(r"\d{1,9}", value):
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def require_safe_url(text: object, what: str, allow_plain_http: bool) -> urllib.parse.SplitResult:
    """An https address, or an http one of this machine; any http one where that is allowed by name."""
    url = urllib.parse.urlsplit(text) if isinstance(text, str) else None
    if url is None or url.scheme not in ("https", "http") or not url.hostname:
        raise ValueError(f"The {what} must be an https address.")
    if url.username is not None or url.password is not None:
        raise ValueError(f"The {what} must hold no password.")
    if url.scheme == "http" and not allow_plain_http and not _is_loopback(url.hostname):
        raise ValueError(f"The {what} must be an https address; allow_plain_http takes an http one.")
    return url


def _is_loopback(hostname: str) -> bool:
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost"
