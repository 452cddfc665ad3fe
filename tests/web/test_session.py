from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import Request
from starlette.responses import Response

from filmgate.domain.task import Owner
from filmgate.web.session import SESSION_LIFE, TICKET_LIFE, Sessions

OWNER = Owner(account_id=7, key_id=3)
SETTLED = Owner(account_id=7, key_id=3, dialect="openai", strict=True)
SECOND = timedelta(seconds=1)


class Clock:
    def __init__(self):
        self.time = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def now(self):
        return self.time

    def monotonic(self):
        return 0.0


class Chance:
    def __init__(self):
        self.calls = 0

    def bytes(self, count):
        self.calls += 1
        return self.calls.to_bytes(count, "big")

    def share(self):
        return 0.5


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(clock):
    return Sessions([b"a" * 32], clock, Chance())


def asked(method="GET", scheme="http", **headers):
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({
        "type": "http", "method": method, "scheme": scheme, "path": "/", "query_string": b"",
        "server": ("127.0.0.1", 8080), "headers": named,
    })  # fmt: skip


def cookie_of(sessions, request, value):
    response = Response()
    sessions.remember(request, response, value)
    return response.headers["set-cookie"]


def signed_in(sessions, method="GET", scheme="http", host="127.0.0.1:8080", **headers):
    """A request that carries the cookie which the same host was given."""
    value = sessions.sign_in(OWNER)
    pair = cookie_of(sessions, asked(scheme=scheme, host=host), value).partition(";")[0]
    return asked(method, scheme, host=host, cookie=pair, **headers)


def test_a_ticket_becomes_a_cookie_that_names_account_and_key(sessions):
    cookie = sessions.redeem(sessions.issue_ticket(SETTLED))
    assert cookie is not None
    assert sessions.owner(cookie) == OWNER


def test_a_ticket_works_once(sessions):
    ticket = sessions.issue_ticket(OWNER)
    assert sessions.redeem(ticket) is not None
    assert sessions.redeem(ticket) is None


def test_two_tickets_of_one_moment_are_two(sessions):
    assert None not in {sessions.redeem(sessions.issue_ticket(OWNER)) for _ in range(2)}


def test_a_ticket_ends_after_ten_minutes(sessions, clock):
    early, late = sessions.issue_ticket(OWNER), sessions.issue_ticket(OWNER)
    clock.time += TICKET_LIFE - SECOND
    assert sessions.redeem(early) is not None
    clock.time += SECOND
    assert sessions.redeem(late) is None


def test_a_used_ticket_is_not_forgotten_before_it_ends(sessions, clock):
    ticket = sessions.issue_ticket(OWNER)
    sessions.redeem(ticket)
    clock.time += TICKET_LIFE - SECOND
    sessions.redeem(sessions.issue_ticket(OWNER))
    assert sessions.redeem(ticket) is None


def test_another_worker_of_the_same_secret_takes_ticket_and_cookie(sessions, clock):
    other = Sessions([b"a" * 32], clock, Chance())
    assert other.redeem(sessions.issue_ticket(OWNER)) is not None
    assert other.owner(sessions.sign_in(OWNER)) == OWNER


def test_another_secret_takes_neither(sessions, clock):
    other = Sessions([b"b" * 32], clock, Chance())
    assert other.redeem(sessions.issue_ticket(OWNER)) is None
    assert other.owner(sessions.sign_in(OWNER)) is None


def test_a_new_key_beside_the_old_one_signs_nobody_out(sessions, clock):
    both = Sessions([b"b" * 32, b"a" * 32], clock, Chance())
    old = signed_in(sessions)
    assert both.visitor(old) == OWNER
    assert both.redeem(sessions.issue_ticket(OWNER)) is not None
    assert sessions.visitor(signed_in(both)) is None


def test_a_cookie_ends_after_thirty_days(sessions, clock):
    cookie = sessions.sign_in(OWNER)
    clock.time += SESSION_LIFE - SECOND
    assert sessions.owner(cookie) == OWNER
    clock.time += SECOND
    assert sessions.owner(cookie) is None


def test_a_token_with_any_character_changed_is_refused(sessions):
    cookie = sessions.sign_in(OWNER)
    for place, character in enumerate(cookie):
        other = "1" if character != "1" else "2"
        assert sessions.owner(cookie[:place] + other + cookie[place + 1 :]) is None


@pytest.mark.parametrize("token", ["", ".", "....", "7.3.9.ab.", "七.3.9.ab.x", "\ud800.1", "a" * 5000])
def test_what_was_never_a_token_is_refused(sessions, token):
    assert sessions.owner(token) is None
    assert sessions.redeem(token) is None


def test_a_ticket_is_no_cookie_and_a_cookie_no_ticket(sessions):
    assert sessions.owner(sessions.issue_ticket(OWNER)) is None
    assert sessions.redeem(sessions.sign_in(OWNER)) is None


def test_a_cookie_over_plain_http_is_closed_to_scripts_and_other_sites(sessions):
    said = cookie_of(sessions, asked(host="127.0.0.1:8080"), "value")
    name, _, rest = said.partition("=")
    assert name.startswith("filmgate-")
    assert rest == "value; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax"


def test_a_cookie_over_https_belongs_to_this_host_alone(sessions):
    said = cookie_of(sessions, asked(scheme="https", host="film.example"), "value")
    assert said.startswith("__Host-filmgate-")
    assert said.endswith("=value; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax; Secure")


def test_behind_a_proxy_the_public_address_tells_that_it_is_https(clock):
    sessions = Sessions([b"a" * 32], clock, Chance(), "https://film.example")
    assert "Secure" in cookie_of(sessions, asked(host="film.example"), "value")
    assert "Secure" not in cookie_of(sessions, asked(host="127.0.0.1:8080"), "value")


def test_gates_on_two_ports_of_one_host_use_two_cookies(sessions, clock):
    other = Sessions([b"b" * 32], clock, Chance())
    names = {cookie_of(one, asked(host="127.0.0.1"), "v").partition("=")[0] for one in (sessions, other)}
    assert len(names) == 2


def test_a_visitor_may_read_by_cookie_alone(sessions):
    assert sessions.visitor(signed_in(sessions)) == OWNER
    assert sessions.visitor(asked(host="127.0.0.1:8080")) is None


OWN = {"x_filmgate_page": "1"}
HERE = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    "headers",
    [
        OWN | {"sec_fetch_site": "same-origin", "origin": HERE},
        OWN | {"sec_fetch_site": "same-origin"},
        OWN | {"origin": HERE},
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
def test_a_visitor_may_write_from_our_own_page(sessions, method, headers):
    assert sessions.visitor(signed_in(sessions, method, **headers)) == OWNER


@pytest.mark.parametrize(
    "headers",
    [
        {},
        OWN,
        {"origin": HERE, "sec_fetch_site": "same-origin"},
        OWN | {"origin": "http://evil.example"},
        OWN | {"origin": "null"},
        OWN | {"origin": "http://["},
        OWN | {"origin": "http://127.0.0.1:9090"},
        OWN | {"origin": "file://127.0.0.1:8080"},
        OWN | {"sec_fetch_site": "cross-site", "origin": HERE},
        OWN | {"sec_fetch_site": "same-site", "origin": HERE},
        OWN | {"sec_fetch_site": "none"},
        OWN | {"x_filmgate_page": "2", "origin": HERE},
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
def test_a_write_from_anywhere_else_finds_nobody_signed_in(sessions, method, headers):
    assert sessions.visitor(signed_in(sessions, method, **headers)) is None


def test_the_public_address_is_an_own_origin_where_a_proxy_renames_the_host(clock):
    sessions = Sessions([b"a" * 32], clock, Chance(), "https://film.example")
    own = {"x_filmgate_page": "1", "origin": "https://film.example"}
    assert sessions.visitor(signed_in(sessions, "POST", host="10.0.0.5:8080", **own)) == OWNER


def test_signing_out_ends_the_cookie_at_once(sessions):
    response = Response()
    sessions.forget(asked(host="127.0.0.1:8080"), response)
    assert "filmgate-" in response.headers["set-cookie"]
    assert "Max-Age=0" in response.headers["set-cookie"]
