import unittest
from concurrent import futures

import grpc

from countersign_verify import Verifier
from countersign_verify.grpc import AccessInterceptor, Rule, caller
from tests.issuer import Issuer

NEEDS = Rule(scopes=["read"], roles=["buyer", "admin"])
KINDS = {
    "Unary": (grpc.unary_unary_rpc_method_handler, "unary_unary"),
    "Down": (grpc.unary_stream_rpc_method_handler, "unary_stream"),
    "Up": (grpc.stream_unary_rpc_method_handler, "stream_unary"),
    "Both": (grpc.stream_stream_rpc_method_handler, "stream_stream"),
}


class RpcsOfEveryKind(unittest.TestCase):
    def setUp(self) -> None:
        self.issuer = Issuer()
        self.issuer.add_key("a")
        self.addCleanup(self.issuer.close)
        verifier = Verifier(self.issuer.url, "orders")
        verifier.start()
        self.addCleanup(verifier.stop)
        self.handled: list[str] = []
        rules = {**{f"/s.S/{kind}": NEEDS for kind in KINDS}, "/s.S/Open": Rule(anyone=True)}
        interceptor = AccessInterceptor(verifier, rules)
        server = grpc.server(futures.ThreadPoolExecutor(4), interceptors=[interceptor])
        handlers = {kind: make(self.handle(kind)) for kind, (make, _) in KINDS.items()}
        handlers["Open"] = grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"anyone")
        handlers["Forgotten"] = grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"open")
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("s.S", handlers)])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(lambda: server.stop(None).wait())
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.addCleanup(self.channel.close)

    def handle(self, kind: str):
        def one(_request, _context) -> bytes:
            self.handled.append(kind)
            return caller().subject.encode()

        def several(request, context):
            yield one(request, context)
            yield caller().subject.encode()

        return several if kind in ("Down", "Both") else one

    def call(self, kind: str, token: "str | None"):
        form = KINDS.get(kind, (None, "unary_unary"))[1]
        rpc = getattr(self.channel, form)(f"/s.S/{kind}")
        metadata = [] if token is None else [("authorization", f"Bearer {token}")]
        request = b"" if form.startswith("unary") else iter([b""])
        try:
            answer = rpc(request, metadata=metadata, timeout=10)
            return b",".join(answer) if form.endswith("stream") else answer
        except grpc.RpcError as error:
            return error.code()

    def test_pass_or_are_refused_before_their_handler(self) -> None:
        whole = self.issuer.token("a", scope="read write", roles=["admin"])
        for kind in KINDS:
            with self.subTest(kind):
                self.handled.clear()
                good = b"ann,ann" if kind in ("Down", "Both") else b"ann"
                self.assertEqual(self.call(kind, whole), good)
                for token, code in (
                    (None, grpc.StatusCode.UNAUTHENTICATED),
                    ("a.b.c", grpc.StatusCode.UNAUTHENTICATED),
                    (self.issuer.token("a", aud="billing"), grpc.StatusCode.UNAUTHENTICATED),
                    (self.issuer.token("a", roles=["admin"]), grpc.StatusCode.PERMISSION_DENIED),
                    (self.issuer.token("a", scope="read", roles=["x"]), grpc.StatusCode.PERMISSION_DENIED),
                ):
                    self.assertEqual(self.call(kind, token), code)
                self.assertEqual(self.handled, [kind])

    def test_without_a_rule_are_refused_and_open_ones_need_no_token(self) -> None:
        token = self.issuer.token("a", scope="read", roles=["admin"])
        self.assertEqual(self.call("Forgotten", token), grpc.StatusCode.PERMISSION_DENIED)
        self.assertEqual(self.call("Open", None), b"anyone")
        self.assertEqual(self.call("Nowhere", token), grpc.StatusCode.UNIMPLEMENTED)


if __name__ == "__main__":
    unittest.main()
