"""The examples that Amazon's documentation works through.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from filmgate.objects.signature import Keys, Signer

SIGNER = Signer(Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), "us-east-1")
HOST = "https://examplebucket.s3.amazonaws.com"
NOW = datetime(2013, 5, 24, tzinfo=UTC)
NOTHING = hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    ("path", "query", "extra", "signature"),
    [
        (
            "/test.txt",
            {},
            {"Range": "bytes=0-9"},
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "/",
            {"lifecycle": ""},
            {},
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "/",
            {"max-keys": "2", "prefix": "J"},
            {},
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_a_request_is_signed_as_documented(path, query, extra, signature):
    headers = SIGNER.headers("GET", HOST + path, query, NOTHING, extra, NOW)
    assert headers["authorization"].rpartition("Signature=")[2] == signature
    assert headers["host"] == "examplebucket.s3.amazonaws.com"


def test_an_address_is_signed_as_documented():
    address = SIGNER.address(f"{HOST}/test.txt", {}, timedelta(days=1), NOW)
    assert address == (
        f"{HOST}/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_a_passing_token_is_signed_and_sent_along():
    signer = Signer(Keys("A", "B", "passing/token"), "eu-west-1")
    headers = signer.headers("GET", f"{HOST}/a", {}, NOTHING, {}, NOW)
    assert headers["x-amz-security-token"] == "passing/token"
    assert (
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token," in headers["authorization"]
    )
    assert "&X-Amz-Security-Token=passing%2Ftoken&" in signer.address(
        f"{HOST}/a", {}, timedelta(hours=1), NOW
    )


def test_no_secret_is_shown():
    assert "wJalr" not in repr(SIGNER)
