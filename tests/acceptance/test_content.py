"""Films by range, by link, and never before they are whole."""

import hashlib
from pathlib import Path

import pytest

from kit.gates import RealGate


@pytest.fixture(scope="session")
def film(gate: RealGate, film_id: str) -> bytes:
    return gate.ask("GET", f"/v1/videos/{film_id}/content", key=gate.key).body


def test_ranges_are_parts_of_the_whole(gate: RealGate, film_id: str, film: bytes) -> None:
    path, size = f"/v1/videos/{film_id}/content", len(film)
    for wanted, start, end in (
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, size),
        ("bytes=-50", size - 50, size),
        (f"bytes=10-{size * 2}", 10, size),
    ):
        answer = gate.ask("GET", path, headers={"Range": wanted}, key=gate.key)
        assert (answer.status, answer.body) == (206, film[start:end])
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
    for whole in ("bytes=0-1,5-6", "lines=1-2", "bytes=-"):
        answer = gate.ask("GET", path, headers={"Range": whole}, key=gate.key)
        assert (answer.status, answer.body) == (200, film)


@pytest.mark.parametrize("dialect", ["yishang", "openai"])
def test_a_range_past_the_end_says_where_the_end_is(
    gate: RealGate, film_id: str, film: bytes, dialect: str
) -> None:
    answer = gate.ask(
        "GET",
        f"/{dialect}/v1/videos/{film_id}/content",
        headers={"Range": f"bytes={len(film)}-"},
        key=gate.key,
    )
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{len(film)}")
    assert answer.json["error"]["type"] == "invalid_request_error"


def test_films_are_for_private_caches_and_nothing_runs_in_them(
    gate: RealGate, film_id: str, film: bytes
) -> None:
    head = gate.ask("HEAD", f"/v1/videos/{film_id}/content", key=gate.key)
    etag = f'"{hashlib.sha256(film).hexdigest()}"'
    assert {
        "cache-control": "private, max-age=300",
        "vary": "Authorization",
        "etag": etag,
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox",
        "accept-ranges": "bytes",
        "content-length": str(len(film)),
    }.items() <= dict(head.headers).items()
    same = gate.ask("GET", f"/v1/videos/{film_id}/content", headers={"If-None-Match": etag}, key=gate.key)
    assert (same.status, same.body) == (304, b"")


def test_a_link_opens_without_a_key_and_no_other_does(gate: RealGate, film_id: str, film: bytes) -> None:
    link = gate.ask("GET", f"/gate/v1/tasks/{film_id}", key=gate.key).json["urls"]["video"]
    assert gate.ask("GET", link).body == film
    assert gate.ask("GET", link, headers={"Range": "bytes=0-9"}).body == film[:10]
    head, ticket, name = link.rsplit("/", 2)
    expiry, signature = ticket.split(".")
    for wrong in (
        f"{head}/{int(expiry) + 1}.{signature}/{name}",
        f"{head}/{expiry}.{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}/{name}",
        f"{head}/{expiry}.{signature}/{'0' * 32}.mp4",
        f"{head}/x/{name}",
    ):
        assert gate.ask("GET", wrong).status == 404


def test_no_byte_comes_before_the_film_is_whole(gate: RealGate) -> None:
    id_ = gate.make(prompt="a boat --sandbox=slow:2")
    answer = gate.ask("GET", f"/openai/v1/videos/{id_}/content", key=gate.key)
    assert (answer.status, answer.json["error"]["code"]) == (404, "film_not_ready")
    assert answer.headers["x-should-retry"] == "false"
    assert gate.ended(id_)["state"] == "succeeded"
    assert gate.ask("GET", f"/openai/v1/videos/{id_}/content", key=gate.key).status == 200


def test_a_delete_of_a_running_task_cancels_it_free_before_it_removes_it(gate: RealGate) -> None:
    id_ = gate.make(prompt="a boat --sandbox=slow:20")
    gone = gate.ask("DELETE", f"/v1/videos/{id_}", key=gate.key)
    assert (gone.status, gone.json["deleted"]) == (200, True)
    assert gate.ask("GET", f"/v1/videos/{id_}", key=gate.key).status == 404


def test_variants_are_pictures_of_the_film(gate: RealGate, film_id: str) -> None:
    for variant, kind in (("thumbnail", "image/webp"), ("spritesheet", "image/jpeg"), ("video", "video/mp4")):
        answer = gate.ask("GET", f"/openai/v1/videos/{film_id}/content?variant={variant}", key=gate.key)
        assert (answer.status, answer.headers["content-type"]) == (200, kind)
    answer = gate.ask("GET", f"/openai/v1/videos/{film_id}/content?variant=gif", key=gate.key)
    assert (answer.status, answer.json["error"]["param"]) == (400, "variant")


def test_a_deleted_film_is_gone_from_the_list_the_disk_and_every_link(gate: RealGate) -> None:
    id_ = gate.make()
    link = gate.ended(id_)["urls"]["video"]
    gone = gate.ask("DELETE", f"/v1/videos/{id_}", key=gate.key)
    assert gone.json["deleted"] is True
    assert gate.ask("GET", f"/v1/videos/{id_}", key=gate.key).status == 404
    assert gate.ask("GET", link).status == 404
    assert id_ not in gate.ask("GET", "/gate/v1/tasks", key=gate.key).body.decode()


@pytest.mark.parametrize(
    ("words", "code"), [("--sandbox=fail", "provider_failed"), ("--sandbox=filtered", "content_refused")]
)
def test_rehearsed_ends_come_through_the_real_engine(gate: RealGate, words: str, code: str) -> None:
    task = gate.ended(gate.make(prompt=f"a boat {words}"))
    assert (task["state"], task["error"]["code"], task["cost_micros"]) == ("failed", code, 0)


def test_a_rehearsed_retry_succeeds_on_its_second_attempt(gate: RealGate) -> None:
    task = gate.ended(gate.make(prompt="a boat --sandbox=retry"))
    assert task["state"] == "succeeded"
    assert [attempt["state"] for attempt in task["attempts"]] == ["failed", "done"]


def test_a_picture_that_only_fetching_shows_to_be_none_ends_the_task_free_and_named(
    gate: RealGate, pictures: str
) -> None:
    for path, code in (("page.html", "picture_unusable"), ("nowhere.png", "picture_unreachable")):
        task = gate.ended(gate.make(image=f"{pictures}/{path}"))
        assert (task["state"], task["error"]["code"], task["attempts"]) == ("failed", code, [])


def test_the_data_folder_is_its_owners_alone(gate: RealGate) -> None:
    assert gate.data.stat().st_mode & 0o777 == 0o700
    for name in ("secret", "client.json"):
        assert (gate.data / name).stat().st_mode & 0o777 == 0o600
    assert isinstance(gate.data, Path)
