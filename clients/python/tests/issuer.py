"""An issuer on a port of this machine, whose keys and answers a test changes."""

from __future__ import annotations

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.forms: list[tuple[str | None, str]] = []
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.instead: Callable[[BaseHTTPRequestHandler], None] | None = None
        self.cache_control = "max-age=300"
        self.expires_in = 900
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                if issuer.instead is not None:
                    issuer.instead(self)
                else:
                    issuer.answer(self, issuer.jwks() if self.path == "/keys" else issuer.metadata())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                issuer.forms.append((self.headers["authorization"], body))
                if issuer.instead is not None:
                    issuer.instead(self)
                    return
                name = f"token-{len(issuer.forms)}"
                token = {"access_token": name, "token_type": "bearer", "expires_in": issuer.expires_in}
                issuer.answer(self, token)

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler, body: object) -> None:
        data = json.dumps(body).encode()
        handler.send_response(200)
        handler.send_header("cache-control", self.cache_control)
        handler.send_header("content-length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def metadata(self) -> object:
        return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}

    def jwks(self) -> object:
        return {"keys": [_public_jwk(kid, key) for kid, key in self.keys.items()]}

    def add_key(self, kid: str) -> None:
        self.keys[kid] = ec.generate_private_key(ec.SECP256R1())

    def key_requests(self) -> int:
        return self.asked.count("/keys")

    def token(self, kid: str, **claims: object) -> str:
        now = int(time.time())
        default = {"iss": self.url, "sub": "ann", "aud": "orders", "exp": now + 900, "iat": now}
        payload = {**default, "jti": "1", "client_id": "web", **claims}
        header = {"typ": "at+jwt", "alg": "ES256", "kid": kid}
        signed = ".".join(encode(json.dumps(part).encode()) for part in (header, payload))
        key = self.keys.get(kid) or ec.generate_private_key(ec.SECP256R1())
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _public_jwk(kid: str, key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    x, y = (encode(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "alg": "ES256", "use": "sig"}
