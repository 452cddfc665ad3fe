"""Credentials: what the settings say of them, the circuit of each, and an operator's switch."""

from dataclasses import replace
from datetime import timedelta

import pytest

from filmgate.domain.contracts_provider import Ticket
from filmgate.domain.faults import Broken, Busy, Fault, Misconfigured, Refused
from filmgate.domain.plan import ClipRole, PlannedClip
from filmgate.domain.states import AttemptState, Step
from filmgate.store import transitions
from filmgate.store.credentials import CredentialRow, Credentials, Room
from filmgate.store.moves import NoRoom, Sending
from filmgate.store.notices import Notices
from filmgate.store.pool import Pool
from filmgate.store.work import Claim, OpenAttempt
from kit.worlds import World, make_world

ONLY = PlannedClip(1, ClipRole.FIRST, 1)


@pytest.fixture
async def world(pool: Pool) -> World:
    world = await make_world(pool, in_flight=50)
    # A task that nobody starts: rooms are only told while one waits.
    await world.accept("waits")
    await pool.execute("update work set lease_by = null, model = 'nobody asks for it'")
    return world


async def sent(world: World) -> Claim:
    await world.accept()
    [claim] = await world.starts(1)
    sending = Sending(
        clip=1, no=1, credential_id=world.credential_id, provider="fake", key=str(claim.task_id), body_sha256="00"
    )  # fmt: skip
    await world.moves.make(transitions.sending(claim, sending))
    attempt = OpenAttempt(
        clip=1, no=1, credential_id=world.credential_id, key=sending.key, body_sha256=sending.body_sha256,
        state=AttemptState.SENDING, ref=None, ticket=None, result=None, sent_at=claim.claimed_at,
    )  # fmt: skip
    return replace(claim, step=Step.SUBMIT, attempt=attempt)


async def answered(world: World, answer: Fault | None, claim: Claim | None = None) -> None:
    """Send one, and let the provider answer so; it is not tried again here."""
    claim = claim or await sent(world)
    if answer is None:
        ticket = Ticket(f"job-{claim.task_id}")
        await world.moves.make(transitions.accepted(claim, ticket, timedelta(hours=1), ONLY, 0))
    else:
        await world.moves.make(transitions.not_created(claim, answer, timedelta(hours=1)))


async def room(world: World) -> Room:
    return (await Credentials(world.pool).rooms())[world.credential_id]


async def blocked_s(world: World) -> float:
    """Tell for how long the credential is blocked from now on, to the second."""
    [row] = await world.rows("select extract(epoch from blocked_until - now())::float8 as s from credentials")
    return round(float(str(row["s"])))


async def waited(world: World) -> None:
    """Let the time of a block pass."""
    await world.pool.execute("update credentials set blocked_until = now(), probing_until = now()")


async def test_five_failures_in_a_row_shut_a_credential_and_each_failed_trial_doubles_the_wait(
    world: World,
) -> None:
    for _ in range(4):
        await answered(world, Broken("boom"))
    assert not (await room(world)).shut
    waits = []
    for _ in range(7):
        await answered(world, Broken("boom"))
        assert await room(world) == Room(0, shut=True)
        waits.append(await blocked_s(world))
        await waited(world)
        assert await room(world) == Room(1, shut=False)
    assert waits == [30, 60, 120, 240, 480, 600, 600]
    assert await world.rows("select kind, provider, text from notices") == [
        {"kind": "provider_down", "provider": "fake", "text": "default: boom"}
    ]


async def test_a_success_between_failures_starts_the_count_anew(world: World) -> None:
    for answer in [Broken("x")] * 4 + [None] + [Broken("x")] * 4:
        await answered(world, answer)
    assert not (await room(world)).shut


async def test_one_trial_at_a_time_is_sent_and_its_success_opens_the_credential(world: World) -> None:
    for _ in range(5):
        await answered(world, Broken("x"))
    await waited(world)
    trial = await sent(world)
    assert await room(world) == Room(0, shut=True)
    with pytest.raises(NoRoom):
        await sent(world)
    await answered(world, None, trial)
    assert await room(world) == Room(49, shut=False)


async def test_a_trial_of_which_nothing_is_heard_makes_way_for_another(world: World) -> None:
    for _ in range(5):
        await answered(world, Broken("x"))
    await waited(world)
    await sent(world)
    [row] = await world.rows(
        "select round(extract(epoch from probing_until - now())) = 90 as soon from credentials"
    )
    assert row == {"soon": True}


async def test_failures_of_what_was_sent_before_the_circuit_opened_say_nothing_new(world: World) -> None:
    early = [await sent(world) for _ in range(9)]
    for claim in early:
        await answered(world, Broken("x"), claim)
    assert await blocked_s(world) == 30


async def test_a_refusal_shows_that_the_provider_works(world: World) -> None:
    for answer in [Broken("x")] * 4 + [Refused("no")] + [Broken("x")] * 4:
        await answered(world, answer)
    assert not (await room(world)).shut


async def test_a_misconfigured_credential_is_shut_at_once_and_operators_are_told_once(world: World) -> None:
    early = [await sent(world) for _ in range(3)]
    for claim in early:
        await answered(world, Misconfigured("no such key"), claim)
    assert await room(world) == Room(0, shut=True)
    assert await world.rows("select kind, provider, text from notices") == [
        {"kind": "provider_misconfigured", "provider": "fake", "text": "default: no such key"}
    ]


async def test_a_busy_provider_is_left_alone_for_as_long_as_it_says(world: World) -> None:
    await answered(world, Busy("slow down", timedelta(seconds=45)))
    assert (await room(world), await blocked_s(world)) == (Room(0, shut=True), 45)
    await waited(world)
    assert await room(world) == Room(50, shut=False)


async def test_one_that_is_busy_again_and_again_is_left_alone_longer_however_soon_it_wants_to_be_asked(
    world: World,
) -> None:
    soon = Busy("slow down", timedelta(milliseconds=250))
    waits = []
    for _ in range(9):
        await answered(world, soon)
        [row] = await world.rows(
            "select extract(epoch from blocked_until - now())::float8 as s from credentials"
        )
        waits.append(row["s"])
        await world.pool.execute("update credentials set blocked_until = now()")
    assert waits == pytest.approx([0.25, 0.5, 1, 2, 4, 8, 16, 30, 30], abs=0.2)
    # What it says to several at once is said once, and one that it takes is the end of it.
    together = [await sent(world) for _ in range(3)]
    await answered(world, None, together.pop())
    for claim in together:
        await answered(world, Busy("slow down", timedelta(seconds=45)), claim)
    assert await world.rows("select busy_in_row from credentials") == [{"busy_in_row": 1}]


async def test_a_pause_sends_nothing_more_and_a_resume_opens_also_what_failed(world: World) -> None:
    credentials = Credentials(world.pool)
    claim = await sent(world)
    assert await credentials.pause("fake") == 1
    assert await room(world) == Room(0, shut=True)
    with pytest.raises(NoRoom):
        await sent(world)
    await answered(world, None, claim)
    assert await credentials.resume("fake") == 1
    assert await room(world) == Room(49, shut=False)
    for _ in range(5):
        await answered(world, Broken("x"))
    assert await credentials.resume("fake") == 1
    assert await room(world) == Room(49, shut=False)
    assert await credentials.pause("nobody") is None


async def test_a_rate_that_comes_later_does_not_count_what_was_sent_before(world: World) -> None:
    for _ in range(5):
        await answered(world, None)
    row = CredentialRow("fake", "default", 50, rate_per_s=1.0, burst=1.0)
    await Credentials(world.pool).sync([row])
    assert await room(world) == Room(1, shut=False)


async def test_the_settings_are_written_and_what_they_name_no_more_is_kept_and_marked(pool: Pool) -> None:
    credentials = Credentials(pool)
    first = await credentials.sync([CredentialRow("a", "default", 5), CredentialRow("b", "default", 5)])
    await credentials.pause("a")
    second = await credentials.sync([CredentialRow("a", "KEY_1", 7), CredentialRow("a", "KEY_2", 7)])
    # The one that had no name is the first that has one: what runs there stays its own.
    assert second["a", "KEY_1"] == first["a", "default"]
    rows = [(row.provider, row.name, row.enabled, row.max_in_flight) for row in await credentials.list()]
    assert rows == [("a", "KEY_1", True, 7), ("a", "KEY_2", True, 7), ("b", "default", False, 5)]
    # A provider that is paused is so with all its credentials.
    assert [row.paused_at is not None for row in await credentials.list()] == [True, True, False]


async def test_an_alarm_is_given_once_an_hour(pool: Pool) -> None:
    for _ in range(3):
        await Notices(pool).alarm("no_route", "nobody serves veo3", "veo3")
    assert [dict(row) for row in await pool.fetch("select kind, provider, text from notices")] == [
        {"kind": "no_route", "provider": "veo3", "text": "nobody serves veo3"}
    ]


async def test_an_alarm_may_hold_what_no_database_holds(pool: Pool) -> None:
    await Notices(pool).alarm("reply_lost", "it said \0 nothing", "veo3")
    assert await pool.fetchval("select text from notices") == "it said  nothing"
