"""A machine's own access token (RFC 6749 section 4.4), renewed before it ends."""

from __future__ import annotations

import base64
import threading
import time
import urllib.parse
from typing import Callable, Iterable, NamedTuple

from ._fetch import fetch_json, require_safe_url
from .errors import FetchError

# A token with less life than this is not handed out: the call that it is for takes time too.
_MARGIN = 5.0
# After a failure without Retry-After the next request waits this long.
_PAUSE, _PAUSE_MAX = 1.0, 60.0


class _Held(NamedTuple):
    token: str
    renew_at: float
    ends_at: float


class TokenSource:
    """
    Keeps one token, by client credentials. While it lives nobody waits: it is renewed behind the calls after four fifths
    of its life, with one request at a time. Its methods may be called by several threads.

    token_endpoint: such as ``https://id.example.com/auth/token``
    client_secret: the secret, or what reads it each time that it is needed
    """

    def __init__(
        self,
        token_endpoint: str,
        client_id: str,
        client_secret: str | Callable[[], str],
        *,
        scopes: Iterable[str] = (),
        timeout: float = 5,
        allow_plain_http: bool = False,
    ) -> None:
        require_safe_url(token_endpoint, "token endpoint", allow_plain_http)
        self._url, self._client_id, self._secret = token_endpoint, client_id, client_secret
        self._scope, self._timeout = " ".join(scopes), timeout
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._failure: tuple[FetchError, float] | None = None

    def token(self) -> str:
        """
        A token that lives for a while yet. Raises FetchError where there is none and none can be had; within what
        Retry-After asked for without a request.
        """
        held, now = self._held, time.monotonic()
        if held is None or now >= held.ends_at - _MARGIN:
            return self._renew(held).token
        if now >= held.renew_at and not self._lock.locked():
            threading.Thread(target=self._renew_quietly, args=(held,), daemon=True).start()
        return held.token

    def forget(self, token: str) -> None:
        """Forgets a token that a service has refused. Another one stays."""
        held = self._held
        if held is not None and held.token == token:
            self._held = None

    def _renew_quietly(self, held: _Held) -> None:
        """A failure is told to whoever needs the next token; this one still lives."""
        try:
            self._renew(held)
        except FetchError:
            pass

    def _renew(self, old: _Held | None) -> _Held:
        with self._lock:
            # Another thread may have done so meanwhile.
            if self._held is not None and self._held is not old:
                return self._held
            if self._failure is not None and time.monotonic() < self._failure[1]:
                raise self._failure[0]
            try:
                self._held = self._ask()
            except FetchError as error:
                wait = min(max(error.retry_after or 0.0, _PAUSE), _PAUSE_MAX)
                self._failure = (error, time.monotonic() + wait)
                raise
            self._failure = None
            return self._held

    def _ask(self) -> _Held:
        secret = self._secret if isinstance(self._secret, str) else self._secret()
        form = {"grant_type": "client_credentials", **({"scope": self._scope} if self._scope else {})}
        # RFC 6749 section 2.3.1: each part is form-encoded before the two are joined.
        pair = ":".join(urllib.parse.quote_plus(part) for part in (self._client_id, secret))
        headers = {
            "authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            "content-type": "application/x-www-form-urlencoded",
        }
        sent_at = time.monotonic()
        body = fetch_json(self._url, self._timeout, urllib.parse.urlencode(form).encode(), headers).body
        answer = body if isinstance(body, dict) else {}
        token, lives, kind = (answer.get(name) for name in ("access_token", "expires_in", "token_type"))
        if not isinstance(token, str) or not isinstance(kind, str) or kind.lower() != "bearer":
            raise FetchError(f"POST {self._url}: the answer is no token")
        if not isinstance(lives, (int, float)) or isinstance(lives, bool) or lives <= 0:
            raise FetchError(f"POST {self._url}: the answer does not say when the token ends")
        return _Held(token, sent_at + lives * 0.8, sent_at + lives)
