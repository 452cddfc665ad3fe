import gzip
import re

import pytest
from starlette.testclient import TestClient

from filmgate.domain.task import Owner

KEY, OPERATOR = "sk-stub", "sk-operator"
OWNER = Owner(account_id=7, key_id=3)
OWN_PAGE = {"x-filmgate-page": "1", "origin": "http://testserver"}


@pytest.fixture
def client(gate):
    with TestClient(gate.app(), follow_redirects=False) as client:
        yield client


def policy_of(answer):
    return dict(part.partition(" ")[::2] for part in answer.headers["content-security-policy"].split("; "))


def test_the_page_may_load_nothing_from_elsewhere_and_run_nothing_inline(client):
    assert policy_of(client.get("/")) == {
        "default-src": "'self'",
        "img-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


@pytest.mark.parametrize("path", ["/", "/console/app.js", "/console/look.css", "/console/mark.svg"])
def test_every_file_says_how_it_may_be_used(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    said = {
        name: answer.headers[name]
        for name in (
            "x-content-type-options", "x-frame-options", "referrer-policy", "cross-origin-opener-policy",
            "cross-origin-resource-policy", "cache-control", "vary",
        )
    }  # fmt: skip
    assert said == {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-cache",
        "vary": "Accept-Encoding",
    }
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/console/app.js", "text/javascript; charset=utf-8"),
        ("/console/look.css", "text/css; charset=utf-8"),
        ("/console/icons.svg", "image/svg+xml"),
    ],
)
def test_every_file_has_its_media_type(client, path, media_type):
    assert client.get(path).headers["content-type"] == media_type


def test_a_browser_that_has_the_file_is_told_so(client):
    whole = client.get("/console/app.js")
    again = client.get("/console/app.js", headers={"if-none-match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == whole.headers["etag"]
    old = client.get("/console/app.js", headers={"if-none-match": '"another"'})
    assert (old.status_code, old.content) == (200, whole.content)


def test_a_file_is_compressed_only_for_those_who_take_it(client):
    plain = client.get("/console/app.js", headers={"accept-encoding": "identity"})
    refused = client.get("/console/app.js", headers={"accept-encoding": "gzip;q=0, br"})
    with client.stream("GET", "/console/app.js", headers={"accept-encoding": "br, gzip"}) as packed:
        raw = b"".join(packed.iter_raw())
    assert "content-encoding" not in plain.headers
    assert refused.headers["etag"] == plain.headers["etag"] != packed.headers["etag"]
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content)


def test_head_answers_without_the_body(client):
    answer = client.head("/")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("name", ["nothing.js", "..%2f__init__.py", "%2e%2e/pages.py", ""])
def test_nothing_but_the_pages_own_files_is_served(client, name):
    assert client.get(f"/console/{name}").status_code == 404


def test_a_ticket_signs_in_and_leads_to_the_page(client, gate):
    answer = client.get("/signin", params={"ticket": gate.sessions.issue_ticket(OWNER)})
    assert (answer.status_code, answer.headers["location"]) == (303, "./")
    assert answer.headers["cache-control"] == "no-store"
    assert client.get("/gate/v1/models").status_code == 200


def test_a_ticket_that_was_used_leads_to_a_page_that_says_so(client, gate):
    ticket = gate.sessions.issue_ticket(OWNER)
    client.get("/signin", params={"ticket": ticket})
    client.cookies.clear()
    answer = client.get("/signin", params={"ticket": ticket})
    assert answer.headers["location"] == "./?signin=spent"
    assert "set-cookie" not in answer.headers


def test_who_opens_his_own_link_twice_stays_signed_in(client, gate):
    ticket = gate.sessions.issue_ticket(OWNER)
    first, second = (client.get("/signin", params={"ticket": ticket}) for _ in range(2))
    assert {first.headers["location"], second.headers["location"]} == {"./"}


@pytest.mark.parametrize("query", ["", "?ticket=", "?ticket=7.3.99999999999.ab.forged"])
def test_no_ticket_and_a_forged_one_sign_nobody_in(client, query):
    answer = client.get(f"/signin{query}")
    assert answer.headers["location"] == "./?signin=spent"
    assert "set-cookie" not in answer.headers


def test_a_key_is_exchanged_for_a_cookie(client):
    answer = client.post("/signin", json={"key": f" {KEY}\n"}, headers=OWN_PAGE)
    assert (answer.status_code, answer.content) == (204, b"")
    said = answer.headers["set-cookie"]
    assert re.fullmatch(r"filmgate-\w{8}=[\w.-]+; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax", said)
    assert KEY not in said
    assert client.get("/gate/v1/models").status_code == 200


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [("sk-wrong", 401, "invalid_key"), (OPERATOR, 403, "makes_no_films"), ("", 400, "missing_parameter")],
)
def test_a_key_that_opens_nothing_is_refused_in_plain_words(client, key, status, code):
    answer = client.post("/signin", json={"key": key}, headers=OWN_PAGE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"key=sk-stub", "malformed_json"),
        (b"[]", "missing_parameter"),
        (b'{"key": 5}', "missing_parameter"),
        (b"x" * (2**20 + 1), "body_too_large"),
    ],
)
def test_a_body_that_is_no_sign_in_is_refused(client, body, code):
    answer = client.post("/signin", content=body, headers=OWN_PAGE)
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize("path", ["/signin", "/signout"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-filmgate-page": "1"},
        {"x-filmgate-page": "1", "origin": "https://evil.example"},
        {"x-filmgate-page": "1", "sec-fetch-site": "cross-site", "origin": "http://testserver"},
        {"origin": "http://testserver"},
    ],
)
def test_a_foreign_page_can_sign_nobody_in_or_out(client, path, headers):
    answer = client.post(path, json={"key": KEY}, headers=headers)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_signing_out_takes_the_cookie_away(client):
    client.post("/signin", json={"key": KEY}, headers=OWN_PAGE)
    answer = client.post("/signout", headers=OWN_PAGE)
    assert answer.status_code == 204
    assert client.get("/gate/v1/models").status_code == 401
