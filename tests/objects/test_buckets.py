"""Addresses of buckets: what is read from the environment, and what must never be."""

import pytest

from filmgate.objects.buckets import open_bucket, open_foreign_bucket
from filmgate.objects.faults import ObjectStoreError, Trouble
from filmgate.objects.store import open_destination, open_store
from objects.servers import HASTY, KEY, SECRET


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("s3://key:secret@films", "holds no secrets"),
        ("s3://films?endpoint=x", "AWS_ENDPOINT_URL and AWS_REGION"),
        ("s3://films/a#b", "AWS_ENDPOINT_URL and AWS_REGION"),
        ("s3:///films", "names no bucket; write s3://BUCKET/PREFIX"),
        ("https://minio.example.com/films", "write s3://BUCKET"),
        ("http://minio.example.com/films", "write s3://BUCKET"),
        ("ftp://films", "write s3://BUCKET"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused_with_the_right_one(place, said):
    with pytest.raises(ObjectStoreError, match=said) as refused:
        open_store(place)
    assert refused.value.trouble is Trouble.WRONG_SETTING
    assert "secret@" not in str(refused.value)


def test_region_and_token_come_from_the_environment_by_their_usual_names(server, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "passing")
    signer = open_bucket("s3://films/a").signer
    assert signer is not None
    assert (signer.region, signer.keys.access_key, signer.keys.token) == ("eu-central-1", KEY, "passing")


@pytest.mark.parametrize(
    ("place", "region"),
    [
        ("https://films.s3.eu-west-2.amazonaws.com/a", "eu-west-2"),
        ("https://account.r2.cloudflarestorage.com/films/a", "auto"),
        ("s3a://films/a", "us-east-1"),
    ],
)
def test_other_spellings_of_an_address_of_s3_are_read(server, place, region):
    signer = open_bucket(place).signer
    assert signer is not None
    assert signer.region == region


def test_without_keys_the_machine_s_own_are_left_to_the_library(server, monkeypatch):
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ObjectStoreError, match="Missing SecretAccessKey"):
        open_bucket("s3://films")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert open_bucket("s3://films").signer is None


@pytest.mark.parametrize(
    ("place", "options"),
    [
        ("s3://theirs", {}),
        ("s3://theirs", {"access_key_id": "A"}),
        ("s3://theirs", {"access_key_id": "A", "secret_access_key": ""}),
        ("gs://theirs", {"access_key_id": "A", "secret_access_key": "B"}),
        ("az://theirs", {"account_name": "A"}),
    ],
)
def test_a_foreign_bucket_is_never_opened_with_the_gate_s_own_keys(server, place, options):
    with pytest.raises(ObjectStoreError, match="needs credentials of its own"):
        open_foreign_bucket(place, options)


def test_a_destination_is_a_bucket(server):
    with pytest.raises(ObjectStoreError, match="is no bucket; write s3://"):
        open_foreign_bucket("memory:///", {})
    with pytest.raises(ObjectStoreError, match="cannot be opened"):
        open_foreign_bucket("/etc", {})


async def test_nothing_of_the_gate_s_environment_reaches_a_foreign_bucket(crossing, monkeypatch):
    own = f"http://127.0.0.1:{crossing.port}"
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTHEGATE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the gate's own secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "TOKENOFTHEGATE")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    options = {"access_key_id": KEY, "secret_access_key": SECRET, "endpoint": own}
    store = open_destination("s3://theirs/own", options, patience=HASTY)
    await store.put_bytes("a", b"film")
    await store.put_bytes("b/large", bytes(9_000_000))
    assert sorted([listed.key async for listed in store.list()]) == ["a", "b/large"]
    await store.close()
    sent = b"\n".join(crossing.heads)
    assert crossing.count("PUT /theirs/own/a$") == 1
    assert [word for word in (b"THEGATE", b"eu-central-1") if word in sent] == []
