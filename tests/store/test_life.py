"""The life of a task in the store: every transition, its fence, its money."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from filmgate.domain.contracts_provider import Done, Ticket
from filmgate.domain.film import FilmFacts
from filmgate.domain.plan import ClipRole, PlannedClip
from filmgate.domain.states import AttemptState, State, Step
from filmgate.domain.task import Failure, Film, StoredClip, StoredFile
from filmgate.store import transitions
from filmgate.store.accept import Remember, Verdict
from filmgate.store.credentials import Credentials, Room
from filmgate.store.ends import End
from filmgate.store.moves import NoRoom, Sending, StaleLease
from filmgate.store.notices import Notice
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from filmgate.store.work import Boot, Claim, Claims, OpenAttempt
from kit.worlds import World, drop_partitions, make_world, unreadable

LEASE = timedelta(seconds=30)


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def started(world: World, *, clip: int = 1, no: int = 1) -> Claim:
    """Claim a waiting task and write the intent to send it."""
    [claim] = await world.starts(1)
    sending = Sending(
        clip=clip,
        no=no,
        credential_id=world.credential_id,
        provider="fake",
        key=f"{claim.task_id}.{clip}.{no}",
        body_sha256="00",
    )
    await world.moves.make(transitions.sending(claim, sending))
    attempt = OpenAttempt(
        clip=clip,
        no=no,
        credential_id=world.credential_id,
        key=sending.key,
        body_sha256=sending.body_sha256,
        state=AttemptState.SENDING,
        ref=None,
        ticket=None,
        result=None,
        sent_at=claim.claimed_at,
    )
    return replace(claim, step=Step.SUBMIT, attempt=attempt)


ONLY = PlannedClip(1, ClipRole.FIRST, 1)


async def accepted(world: World) -> Claim:
    claim = await started(world)
    ticket = Ticket("job-1", {"a": 1}, timedelta(0))
    await world.moves.make(transitions.accepted(claim, ticket, timedelta(milliseconds=1), ONLY, 0))
    return await claimed(world, Step.POLL)


async def claimed(world: World, step: Step) -> Claim:
    return (await world.claims.due(step, limit=1, lease=LEASE, since=0.0))[0]


async def taken_over(world: World) -> Claim:
    await world.pool.execute("update work set due_at = now() where step = 'poll'")
    return await claimed(world, Step.POLL)


def film(claim: Claim) -> tuple[Film, list[StoredFile]]:
    file_id = UUID(int=claim.task_id.int + 1)
    facts = FilmFacts("h264", 320, 180, 24.0, 24, 1.0, "aac", 48000, 1000, faststart=True)
    file = StoredFile(
        file_id, claim.task.account_id, claim.task_id, "video", "k", "video/mp4", 1000, "0" * 64
    )
    return Film(facts, {"video": file_id}), [file]


def succeeded(claim: Claim) -> End:
    made, files = film(claim)
    return End(claim=claim, state=State.SUCCEEDED, kept=timedelta(days=1), film=made, files=files)


async def test_a_task_goes_from_accepted_to_succeeded(world: World) -> None:
    decision = await world.accept()
    assert decision.verdict is Verdict.ACCEPTED
    claim = await accepted(world)
    assert (claim.task.state, claim.attempt and claim.attempt.ref) == (State.GENERATING, "job-1")
    await world.moves.make(transitions.progressed(claim, 40, timedelta(milliseconds=1)))
    claim = await claimed(world, Step.POLL)
    await world.moves.make(transitions.done(claim, Done({"id": "job-1"}), last=True))
    claim = await claimed(world, Step.COLLECT)
    assert (claim.task.state, claim.task.progress) == (State.COLLECTING, 40)
    await world.ends.end(succeeded(claim))
    task = await world.task(claim.task_id)
    assert (task.state, task.progress, task.cost_micros) == (State.SUCCEEDED, 100, 0)
    assert task.film == film(claim)[0]
    assert await world.rows("select * from work") == []
    assert await world.rows("select in_flight from credentials") == [{"in_flight": 0}]
    assert await world.rows("select kind from ledger order by id") == [{"kind": "hold"}, {"kind": "close"}]


async def test_a_write_under_an_old_fence_changes_nothing(world: World) -> None:
    await world.accept()
    old = await accepted(world)
    new = await taken_over(world)
    with pytest.raises(StaleLease):
        await world.moves.make(transitions.progressed(old, 90, timedelta(seconds=1)))
    with pytest.raises(StaleLease):
        await world.ends.end(succeeded(old))
    task = await world.task(new.task_id)
    assert (task.state, task.progress) == (State.GENERATING, 0)


async def test_progress_never_falls(world: World) -> None:
    await world.accept()
    claim = await accepted(world)
    for progress in (40, 10, 120):
        await world.moves.make(transitions.progressed(claim, progress, timedelta(milliseconds=1)))
        claim = await claimed(world, Step.POLL)
    assert claim.task.progress == 99


async def test_a_full_provider_lets_the_task_wait(pool: Pool) -> None:
    world = await make_world(pool, in_flight=1)
    first, second = await world.accept(), await world.accept("another boat")
    claims = await world.starts(2)
    assert [claim.task_id for claim in claims] == [d.task.id for d in (first, second) if d.task]
    sendings = [
        Sending(
            clip=1, no=1, credential_id=world.credential_id, provider="fake", key=str(no), body_sha256="00"
        )
        for no in range(2)
    ]
    moves = [transitions.sending(claim, sending) for claim, sending in zip(claims, sendings, strict=True)]
    results = await asyncio.gather(*map(world.moves.make, moves), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), NoRoom]
    assert await Credentials(pool).rooms() == {}
    await world.moves.make(transitions.waiting(claims[1], timedelta(0)))
    assert (await world.task(claims[1].task_id)).state is State.QUEUED


async def test_a_hold_is_closed_once_and_returned_when_the_film_fails(world: World) -> None:
    await world.accept(hold_micros=800_000)
    [account] = await world.rows("select balance_micros, held_micros from accounts")
    assert account == {"balance_micros": -800_000, "held_micros": 800_000}
    claim = await accepted(world)
    end = End(
        claim=claim,
        state=State.FAILED,
        kept=timedelta(days=1),
        failure=Failure("content_refused", {"reason": "no"}),
        attempt=AttemptState.FAILED,
        notice=Notice("x", "y"),
    )
    ends = await asyncio.gather(world.ends.end(end), world.ends.end(end), return_exceptions=True)
    assert {type(result) for result in ends} <= {type(None), StaleLease}
    [account] = await world.rows("select balance_micros, held_micros from accounts")
    assert account == {"balance_micros": 0, "held_micros": 0}
    sums = await world.rows("select sum(amount_micros)::bigint as total from entries group by ledger_id")
    assert sums == [{"total": 0}, {"total": 0}]
    assert len(await world.rows("select * from ledger where kind = 'close'")) == 1
    task = await world.task(claim.task_id)
    assert task.failure is not None
    assert task.failure.text("en").startswith("The provider refused this request: no.")


async def test_a_capture_moves_the_hold_to_revenue(world: World) -> None:
    await world.accept(hold_micros=800_000)
    claim = await accepted(world)
    await world.moves.make(transitions.done(claim, Done({}), last=True))
    claim = await claimed(world, Step.COLLECT)
    await world.ends.end(replace(succeeded(claim), cost_micros=500_000))
    [account] = await world.rows("select balance_micros, held_micros from accounts")
    assert account == {"balance_micros": -500_000, "held_micros": 0}
    totals = await world.rows(
        "select account, sum(amount_micros)::bigint as total from entries group by account order by account"
    )
    number = world.owner.account_id
    assert totals == [
        {"account": f"available:{number}", "total": -500_000},
        {"account": f"held:{number}", "total": 0},
        {"account": "revenue", "total": 500_000},
    ]


async def test_the_same_key_and_body_give_the_same_task_and_another_body_is_a_mismatch(world: World) -> None:
    remember = Remember("once", timedelta(hours=24))
    decisions = await asyncio.gather(*(world.accept("a boat", remember=remember) for _ in range(5)))
    assert sorted(decision.verdict.value for decision in decisions) == ["accepted", *["replayed"] * 4]
    assert len({decision.task.id for decision in decisions if decision.task}) == 1
    assert (await world.accept("another", remember=remember)).verdict is Verdict.MISMATCH
    assert len(await world.rows("select * from tasks")) == 1


async def test_a_blind_retry_gets_the_noted_task_and_two_first_tries_are_two_films(world: World) -> None:
    note, retry = Remember("sha:1", None), Remember("sha:1", timedelta(minutes=10))
    first = await world.accept("a boat", remember=note)
    second = await world.accept("a boat", remember=note)
    again = await world.accept("a boat", remember=retry)
    assert first.task
    assert second.task
    assert again.task
    assert first.task.id != second.task.id == again.task.id
    assert again.verdict is Verdict.REPLAYED


async def test_a_new_boot_takes_over_at_once_and_counts_a_death_only_under_the_same_supervisor(
    world: World,
) -> None:
    await world.accept()
    claim = await started(world)
    for number, supervisor, deaths in ((101, world.boot.supervisor, 1), (102, UUID(int=7), 1)):
        boot = Boot(UUID(int=number), world.boot.folder, supervisor)
        claims = Claims(world.pool, boot, unreadable)
        assert await claims.begin() == 1
        [taken] = await claims.due(Step.SUBMIT, limit=1, lease=LEASE, since=0.0)
        assert (taken.task_id, taken.deaths) == (claim.task_id, deaths)


async def test_a_lost_sender_leads_to_looking_and_never_to_a_second_open_attempt(world: World) -> None:
    await world.accept()
    claim = await started(world)
    await world.moves.make(transitions.uncertain(claim, "lost"))
    claim = await claimed(world, Step.RECONCILE)
    assert claim.attempt is not None
    assert claim.attempt.state is AttemptState.UNCERTAIN
    await world.moves.make(transitions.absent(claim, timedelta(0)))
    second = await started(world, no=2)
    assert second.attempt is not None
    states = await world.rows("select no, state from attempts order by no")
    assert states == [{"no": 1, "state": "lost"}, {"no": 2, "state": "sending"}]
    assert await world.rows("select in_flight from credentials") == [{"in_flight": 1}]


async def test_what_is_not_yours_is_not_found(world: World) -> None:
    decision = await world.accept()
    assert decision.task is not None
    for name in (str(decision.task.id), decision.task.name):
        assert await world.reader.find(name, world.owner.account_id) == decision.task
        assert await world.reader.find(name, world.owner.account_id + 1) is None
    assert await world.reader.find("task_unknown", world.owner.account_id) is None


async def test_pages_go_newest_first_and_back(world: World) -> None:
    made = [(await world.accept(f"boat {no}")).task for no in range(5)]
    names = [task.id for task in made if task]
    page, more = await world.reader.page(world.owner.account_id, after=None, limit=3)
    assert ([task.id for task in page], more) == (names[:1:-1], True)
    page, more = await world.reader.page(world.owner.account_id, after=page[-1].id, limit=3)
    assert ([task.id for task in page], more) == (names[1::-1], False)
    page, _ = await world.reader.page(world.owner.account_id, after=names[0], limit=9, newest_first=False)
    assert [task.id for task in page] == names[1:]


async def test_a_stale_write_beside_a_fresh_one_in_one_batch_is_refused(world: World) -> None:
    await world.accept()
    old = await accepted(world)
    new = await taken_over(world)
    moves = [
        transitions.again(old, "x", timedelta(0), {"retries": 1}),
        transitions.progressed(new, 30, timedelta(seconds=1)),
    ]
    results = await asyncio.gather(*map(world.moves.make, moves), return_exceptions=True)
    assert [type(result) for result in results] == [StaleLease, type(None)]
    assert await world.rows("select state from attempts") == [{"state": "accepted"}]


async def test_an_end_closes_the_attempt_that_nobody_spoke_of_and_frees_its_slot(world: World) -> None:
    await world.accept()
    claim = await accepted(world)
    failure = Failure("engine_error", {"reason": "a\0b"})
    await world.ends.end(End(claim=claim, state=State.FAILED, kept=timedelta(days=1), failure=failure))
    assert await world.rows("select state from attempts") == [{"state": "abandoned"}]
    assert await world.rows("select in_flight from credentials") == [{"in_flight": 0}]


async def test_tries_count_only_the_same_failure_in_a_row(world: World) -> None:
    await world.accept()
    claim = await accepted(world)
    counted = []
    for why in ("question", "question", "vanished", "question"):
        await world.moves.make(transitions.postponed(claim, timedelta(0), why))
        claim = await claimed(world, Step.POLL)
        counted.append((claim.tried_as, claim.tries))
    assert counted == [("question", 1), ("question", 2), ("vanished", 1), ("question", 1)]


async def test_a_task_without_its_work_row_is_repaired_and_a_row_of_an_ended_task_removed(
    world: World,
) -> None:
    upkeep = Upkeep(world.pool)
    await world.accept()
    await world.pool.execute("delete from work")
    await world.pool.execute("update tasks set created_at = now() - interval '1 hour'")
    assert await upkeep.repair() == 1
    claim = await accepted(world)
    failure = Failure("engine_error", {})
    await world.ends.end(End(claim=claim, state=State.FAILED, kept=timedelta(days=1), failure=failure))
    await world.pool.execute(
        "insert into work (task_id, step, due_at, model, account_id, key_id) values ($1, 'poll', now(), 'x', 1, 1)",
        claim.task_id,
    )
    assert await world.claims.due(Step.POLL, limit=9, lease=LEASE, since=0.0) == []
    assert await upkeep.remove_strays() == 1


async def test_whoever_held_a_row_that_was_lost_is_not_taken_for_the_holder_of_the_repaired_one(
    world: World,
) -> None:
    upkeep = Upkeep(world.pool)
    await world.accept()
    before = await accepted(world)
    await world.pool.execute("delete from work")
    await world.pool.execute("update tasks set created_at = now() - interval '1 hour'")
    assert await upkeep.repair() == 1
    for _ in range(before.fence):
        await world.pool.execute("update work set due_at = now()")
        await claimed(world, Step.POLL)
    with pytest.raises(StaleLease):
        await world.moves.make(transitions.postponed(before, timedelta(0), "question"))


async def test_submits_per_minute_are_kept(pool: Pool) -> None:
    world = await make_world(pool, in_flight=9)
    await world.pool.execute("update credentials set rate_per_s = 0.01, burst = 2, tokens = 2")
    for no in range(3):
        await world.accept(f"boat {no}")
    await started(world)
    await started(world)
    assert await Credentials(pool).rooms() == {world.credential_id: Room(0, shut=False)}


async def test_rows_in_the_default_partition_stop_no_housekeeping(world: World) -> None:
    await drop_partitions(world.pool)
    await world.accept()
    assert len(await Upkeep(world.pool).make_partitions(datetime.now(UTC))) == 4


async def test_a_clip_that_is_kept_makes_way_for_the_next_with_its_files_and_its_record(world: World) -> None:
    await world.accept()
    claim = await accepted(world)
    await world.moves.make(transitions.done(claim, Done({}), last=False))
    claim = await claimed(world, Step.COLLECT)
    made, files = film(claim)
    clip = StoredClip(1, "first", "k", made)
    kept = transitions.stored(
        claim, clip, files, timedelta(days=1), step=Step.PREPARE, state=State.EXTENDING, progress=50
    )
    await world.moves.make(kept)
    [again] = await world.starts(1)
    assert (again.clips, again.clip_no, again.tried) == ((clip,), 2, None)
    assert (again.task.state, again.task.progress, again.task.record.clip) == (State.EXTENDING, 50, 2)
    assert len(await world.rows("select * from files")) == 1
    with pytest.raises(StaleLease):
        await world.moves.make(kept)


async def test_a_stage_has_a_time_of_its_own_and_a_record_keeps_what_it_was_told(world: World) -> None:
    await world.accept()
    [claim] = await world.starts(1)
    begun = (await world.task(claim.task_id)).stage_at
    await world.moves.make(transitions.preparing(claim, {"stage": "enhancing"}))
    first = await world.task(claim.task_id)
    await world.moves.make(transitions.preparing(claim, {"enhanced_prompt": "A cat."}))
    second = await world.task(claim.task_id)
    assert begun < first.stage_at == second.stage_at
    assert (second.state, second.record.stage, second.record.enhanced_prompt) == (
        State.PREPARING, "enhancing", "A cat.",
    )  # fmt: skip


async def test_a_task_is_found_by_its_number_for_its_owner_alone(world: World) -> None:
    decision = await world.accept()
    assert decision.task is not None
    found = await world.reader.find(str(decision.task.number), world.owner.account_id)
    assert found == decision.task
    assert await world.reader.find(str(decision.task.number), world.owner.account_id + 1) is None
    assert await world.reader.find("9" * 30, world.owner.account_id) is None


async def test_gates_that_start_at_once_make_the_same_partitions_and_none_stumbles(world: World) -> None:
    count = "select count(*) from pg_inherits where inhparent = 'film.tasks'::regclass"
    before = await world.pool.fetchval(count)
    upkeep = Upkeep(world.pool)
    # Far apart, so that none of the weeks is there yet.
    for weeks in range(10, 60, 10):
        now = datetime.now(UTC) + timedelta(weeks=weeks)
        await asyncio.gather(*(upkeep.make_partitions(now) for _ in range(4)))
    assert await world.pool.fetchval(count) == before + 25
