import json
import unittest
from pathlib import Path

from countersign_verify import Verifier, VerifyError
from tests.issuer import Issuer, encode

VECTORS = json.loads((Path(__file__).parents[3] / "conformance/vectors.json").read_text())


class TheConformanceVectors(unittest.TestCase):
    def setUp(self) -> None:
        self.issuer = Issuer()
        self.issuer.jwks = lambda: VECTORS["jwks"]
        self.addCleanup(self.issuer.close)

    def create(self, **options: object) -> Verifier:
        verifier = Verifier(
            VECTORS["issuer"],
            VECTORS["audience"],
            jwks_uri=f"{self.issuer.url}/keys",
            now=lambda: VECTORS["now"],
            unknown_key_seconds=3600,
            **options,
        )
        verifier.start()
        self.addCleanup(verifier.stop)
        return verifier

    def test_good_tokens_count_and_are_remembered(self) -> None:
        verifier = self.create()
        for vector in VECTORS["good"]:
            with self.subTest(vector["name"]):
                token = verifier.verify(vector["token"])
                self.assertIn(VECTORS["audience"], token.audience)
                self.assertIs(verifier.verify(vector["token"]), token)

    def test_bad_tokens_are_refused_for_their_reason(self) -> None:
        verifier = self.create()
        for vector in VECTORS["bad"]:
            with self.subTest(vector["name"]):
                with self.assertRaises(VerifyError) as caught:
                    verifier.verify(vector["token"])
                self.assertEqual(caught.exception.reason, vector["reason"])

    def test_algorithms_can_be_narrowed(self) -> None:
        verifier = self.create(algorithms=["EdDSA"])
        good = 0
        for vector in VECTORS["good"]:
            try:
                verifier.verify(vector["token"])
                good += 1
            except VerifyError as error:
                self.assertEqual(error.reason, "algorithm_not_allowed")
        self.assertEqual(good, 1)

    def test_deep_and_strange_json_is_refused(self) -> None:
        verifier = self.create()
        for header in (b"[" * 10_000, b'{"a":' * 2_000, b'{"typ": NaN}', b"9" * 5_000, b"\xef\xbb\xbf{}"):
            with self.subTest(header[:10]), self.assertRaises(VerifyError) as caught:
                verifier.verify(f"{encode(header)}.e30.AA")
            self.assertEqual(caught.exception.reason, "malformed")


if __name__ == "__main__":
    unittest.main()
