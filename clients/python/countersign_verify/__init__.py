"""Verifies Countersign's access tokens inside a service: offline, by RFC 9068 and RFC 8725."""

from .errors import FetchError, VerifyError
from .token_source import TokenSource
from .verifier import AccessToken, Verifier

__all__ = ["AccessToken", "FetchError", "TokenSource", "Verifier", "VerifyError"]
