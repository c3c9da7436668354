"""The keys of an issuer, kept fresh behind the calls."""

from __future__ import annotations

import random
import threading
import time
from typing import Collection

from ._algorithms import PublicKey, read_keys
from ._fetch import JsonAnswer, fetch_json, require_safe_url
from .errors import FetchError

# Between these an issuer's Cache-Control is followed.
_FRESH_MIN, _FRESH_MAX, _FRESH_UNSAID = 1.0, 3600.0, 300.0
# After failures in a row the next attempt waits from one second, doubled each time, to this.
_WAIT_MAX = 30.0


class IssuerKeys:
    """One fetch at a time; while the issuer is away the old keys stay."""

    def __init__(
        self,
        issuer: str,
        jwks_uri: str | None,
        algorithms: Collection[str],
        timeout: float,
        unknown_key_seconds: float,
        allow_plain_http: bool,
    ) -> None:
        self._issuer, self._algorithms, self._timeout = issuer, algorithms, timeout
        self._unknown_key_seconds, self._allow_plain_http = unknown_key_seconds, allow_plain_http
        self._metadata_url = _metadata_url_of(issuer, allow_plain_http)
        if jwks_uri is not None:
            require_safe_url(jwks_uri, "jwks_uri", allow_plain_http)
        self._jwks_uri = jwks_uri
        self._keys: dict[str, PublicKey] = {}
        self._fetching = threading.Lock()
        self._fetched = 0
        self._failure: FetchError | None = None
        self._failures_in_row = 0
        self._sought_at = -float("inf")
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, timeout: float) -> None:
        """Fetches the keys, again and again until they are there. Raises the last FetchError after so many seconds."""
        end = time.monotonic() + timeout
        while True:
            wait = self._refresh()
            if self._failure is None:
                break
            rest = end - time.monotonic()
            if rest <= 0:
                raise self._failure
            time.sleep(min(rest, 0.25))
        self._stopped.clear()
        self._thread = threading.Thread(target=self._keep_fresh, args=(wait,), name="countersign-keys", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def find(self, kid: str) -> PublicKey | None:
        return self._keys.get(kid)

    def seek(self, kid: str) -> PublicKey | None:
        """
        Asks the issuer for a key that nobody knows yet, at most once in a while however many ask. Raises FetchError
        where the issuer could not be asked.
        """
        before = self._fetched
        with self._fetching:
            is_due = time.monotonic() - self._sought_at >= self._unknown_key_seconds
            if self._fetched == before and is_due:
                self._sought_at = time.monotonic()
                self._fetch()
        found = self._keys.get(kid)
        if found is None and self._failure is not None:
            raise self._failure
        return found

    def _keep_fresh(self, wait: float) -> None:
        # Up to a tenth earlier, so that many verifiers do not ask at one moment.
        while not self._stopped.wait(wait * (1 - random.random() / 10)):
            wait = self._refresh()

    def _refresh(self) -> float:
        with self._fetching:
            return self._fetch()

    def _fetch(self) -> float:
        """Returns how many seconds to wait for the next fetch."""
        self._fetched += 1
        try:
            answer = fetch_json(self._find_jwks_uri(), self._timeout)
            return self._take(answer)
        except (FetchError, ValueError) as error:
            failure = error if isinstance(error, FetchError) else FetchError("The issuer's answer is of no use")
            self._failure = failure
            self._failures_in_row += 1
            wait = min(2.0 ** (self._failures_in_row - 1), _WAIT_MAX)
            return max(wait, min(failure.retry_after or 0.0, _FRESH_MAX))

    def _take(self, answer: JsonAnswer) -> float:
        self._keys = read_keys(answer.body, self._algorithms)
        self._failure, self._failures_in_row = None, 0
        fresh = _FRESH_UNSAID if answer.fresh_seconds is None else answer.fresh_seconds
        return min(max(fresh, _FRESH_MIN), _FRESH_MAX)

    def _find_jwks_uri(self) -> str:
        """The metadata must name the issuer that was asked (RFC 8414 section 3.3)."""
        if self._jwks_uri is None:
            body = fetch_json(self._metadata_url, self._timeout).body
            metadata = body if isinstance(body, dict) else {}
            if metadata.get("issuer") != self._issuer:
                raise FetchError(f"GET {self._metadata_url}: the answer is the metadata of another issuer")
            jwks_uri = metadata.get("jwks_uri")
            require_safe_url(jwks_uri, "address of the issuer's keys", self._allow_plain_http)
            self._jwks_uri = str(jwks_uri)
        return self._jwks_uri


def _metadata_url_of(issuer: str, allow_plain_http: bool) -> str:
    """The well-known part stands before the issuer's path (RFC 8414 section 3)."""
    url = require_safe_url(issuer, "issuer", allow_plain_http)
    return f"{url.scheme}://{url.netloc}/.well-known/oauth-authorization-server{url.path.rstrip('/')}"
