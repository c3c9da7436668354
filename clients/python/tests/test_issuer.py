import base64
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

from countersign_verify import FetchError, TokenSource, Verifier, VerifyError
from tests.issuer import Issuer


def outcome_of(verifier: Verifier, token: str) -> str:
    try:
        verifier.verify(token)
        return "good"
    except VerifyError as error:
        return error.reason


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("It did not come true.")
        time.sleep(0.01)


class WithIssuer(unittest.TestCase):
    def setUp(self) -> None:
        self.issuer = Issuer()
        self.addCleanup(self.issuer.close)
        self.issuer.add_key("a")

    def create(self, **options: object) -> Verifier:
        verifier = Verifier(self.issuer.url, "orders", **options)
        self.addCleanup(verifier.stop)
        return verifier


class TheIssuersKeys(WithIssuer):
    def test_are_asked_for_once_however_many_calls_there_are(self) -> None:
        verifier = self.create()
        verifier.start()
        with ThreadPoolExecutor(8) as pool:
            outcomes = set(pool.map(lambda _: outcome_of(verifier, self.issuer.token("a")), range(50)))
        self.assertEqual(outcomes, {"good"})
        self.assertEqual(self.issuer.asked, ["/.well-known/oauth-authorization-server", "/keys"])

    def test_are_asked_for_again_for_an_unknown_one_at_most_once_in_a_while(self) -> None:
        verifier = self.create(unknown_key_seconds=600)
        verifier.start()
        self.issuer.add_key("b")
        self.assertEqual(outcome_of(verifier, self.issuer.token("b")), "good")
        with ThreadPoolExecutor(8) as pool:
            tokens = [self.issuer.token(f"unknown-{index}") for index in range(50)]
            outcomes = set(pool.map(lambda token: outcome_of(verifier, token), tokens))
        self.assertEqual(outcomes, {"unknown_key"})
        self.assertEqual(self.issuer.key_requests(), 2)

    def test_are_fetched_anew_and_a_dropped_one_counts_no_longer(self) -> None:
        self.issuer.cache_control = "public, max-age=1"
        verifier = self.create()
        verifier.start()
        token = self.issuer.token("a")
        self.assertEqual(outcome_of(verifier, token), "good")
        del self.issuer.keys["a"]
        eventually(lambda: outcome_of(verifier, token) == "unknown_key")

    def test_stay_while_the_issuer_is_away(self) -> None:
        verifier = self.create(unknown_key_seconds=0)
        verifier.start()
        self.issuer.add_key("b")
        self.issuer.instead = lambda handler: handler.send_error(503)
        self.assertEqual(outcome_of(verifier, self.issuer.token("b")), "keys_unavailable")
        self.assertEqual(outcome_of(verifier, self.issuer.token("a")), "good")
        self.issuer.instead = None
        self.assertEqual(outcome_of(verifier, self.issuer.token("b")), "good")

    def test_are_not_there_where_the_issuer_answers_something_else(self) -> None:
        def redirect(handler) -> None:
            handler.send_response(302)
            handler.send_header("location", "/elsewhere")
            handler.end_headers()

        def talk_forever(handler) -> None:
            handler.send_response(200)
            handler.end_headers()
            try:
                while True:
                    handler.wfile.write(b" " * 65536)
            except OSError:
                pass

        def trickle(handler) -> None:
            handler.send_response(200)
            handler.end_headers()
            try:
                for _ in range(100):
                    handler.wfile.write(b" ")
                    time.sleep(0.1)
            except OSError:
                pass

        cases = {
            "the answer is not JSON": lambda handler: handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n<html>"),
            "status 302": redirect,
            "the answer is too long": talk_forever,
            "no answer": trickle,
            "another issuer": lambda handler: self.issuer.answer(handler, {"issuer": "https://other.example"}),
        }
        for message, handle in cases.items():
            with self.subTest(message):
                self.issuer.instead = handle
                verifier = self.create(timeout=1)
                with self.assertRaisesRegex(FetchError, message):
                    verifier.start(timeout=0)
                self.assertEqual(outcome_of(verifier, self.issuer.token("a")), "keys_unavailable")

    def test_must_be_asked_for_by_https(self) -> None:
        with self.assertRaisesRegex(ValueError, "must be an https address"):
            Verifier("http://id.example.com", "orders")
        Verifier("http://id.example.com", "orders", allow_plain_http=True)


class TheTokenSource(WithIssuer):
    def create_source(self, **options: object) -> TokenSource:
        given = {"client_id": "batch", "client_secret": "s3cret", **options}
        return TokenSource(f"{self.issuer.url}/auth/token", **given)

    def test_asks_once_however_many_calls_need_a_token(self) -> None:
        source = self.create_source(scopes=["orders.read", "orders.write"])
        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(lambda _: source.token(), range(50))), {"token-1"})
        basic = f"Basic {base64.b64encode(b'batch:s3cret').decode()}"
        form = "grant_type=client_credentials&scope=orders.read+orders.write"
        self.assertEqual(self.issuer.forms, [(basic, form)])

    def test_renews_a_token_that_ends_and_one_that_was_refused(self) -> None:
        self.issuer.expires_in = 5
        source = self.create_source()
        self.assertEqual(source.token(), "token-1")
        self.issuer.expires_in = 900
        self.assertEqual(source.token(), "token-2")
        source.forget("another")
        self.assertEqual(source.token(), "token-2")
        source.forget("token-2")
        self.assertEqual(source.token(), "token-3")

    def test_asks_nothing_before_retry_after_is_over(self) -> None:
        def refuse(handler) -> None:
            handler.send_response(429)
            handler.send_header("retry-after", "30")
            handler.end_headers()

        self.issuer.instead = refuse
        source = self.create_source(client_secret=lambda: "s3cret")
        for _ in range(3):
            with self.assertRaises(FetchError) as caught:
                source.token()
            self.assertEqual((caught.exception.status, caught.exception.retry_after), (429, 30.0))
            self.assertNotIn("s3cret", str(caught.exception))
        self.assertEqual(len(self.issuer.forms), 1)


if __name__ == "__main__":
    unittest.main()
