"""The algorithms that Countersign signs with (RFC 7518 section 3, RFC 8037). None of them takes a shared secret."""

from __future__ import annotations

from typing import Any, Collection, Mapping, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from ._jws import decode_base64url
from .errors import VerifyError

ALGORITHMS = ("ES256", "EdDSA", "PS256", "RS256")

_MODULUS_BITS_MIN = 2048
_PSS = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=32)


class PublicKey(NamedTuple):
    """A key of the issuer, for the one algorithm that it names (RFC 8725 section 3.1)."""

    kid: str
    algorithm: str
    key: Any

    def has_signed(self, signed: bytes, signature: bytes) -> bool:
        try:
            if self.algorithm == "ES256":
                if len(signature) != 64:
                    return False
                r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
                self.key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))
            elif self.algorithm == "EdDSA":
                self.key.verify(signature, signed)
            else:
                mode = _PSS if self.algorithm == "PS256" else padding.PKCS1v15()
                self.key.verify(signature, signed, mode, SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True


def read_keys(key_set: object, allowed: Collection[str]) -> dict[str, PublicKey]:
    """
    The keys of a JWK Set (RFC 7517) that verify signatures by an allowed algorithm. Keys of any other kind are passed
    over, as section 5 wants, and so is the second of two with one id. Raises ValueError where this is no JWK Set.
    """
    jwks = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(jwks, list):
        raise ValueError("The issuer's keys are not a JWK Set.")
    keys: dict[str, PublicKey] = {}
    for jwk in jwks:
        key = _read_key(jwk)
        if key is not None and key.algorithm in allowed:
            keys.setdefault(key.kid, key)
    return keys


def _read_key(jwk: object) -> PublicKey | None:
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or "d" in jwk:
        return None
    if jwk.get("use", "sig") != "sig" or jwk.get("alg") not in ALGORITHMS:
        return None
    try:
        key = _import(jwk)
    except (VerifyError, ValueError, UnsupportedAlgorithm):
        return None
    return None if key is None else PublicKey(jwk["kid"], jwk["alg"], key)


def _import(jwk: Mapping[str, Any]) -> Any:
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if jwk["alg"] == "ES256":
        if (kind, curve) != ("EC", "P-256"):
            return None
        return ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), ec.SECP256R1()).public_key()
    if jwk["alg"] == "EdDSA":
        return ed25519.Ed25519PublicKey.from_public_bytes(_bytes(jwk, "x")) if curve == "Ed25519" else None
    if kind != "RSA":
        return None
    key = rsa.RSAPublicNumbers(_number(jwk, "e"), _number(jwk, "n")).public_key()
    return key if key.key_size >= _MODULUS_BITS_MIN else None


def _bytes(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise ValueError(name)
    return decode_base64url(value)


def _number(jwk: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_bytes(jwk, name), "big")
