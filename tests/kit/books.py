"""Books with films that ended in each way that money knows, and one that is being made."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from filmgate.domain.contracts_provider import Done, Ticket
from filmgate.domain.film import FilmFacts
from filmgate.domain.plan import ClipRole, PlannedClip
from filmgate.domain.states import AttemptState, State, Step
from filmgate.domain.task import Failure, Film, StoredFile
from filmgate.store import transitions
from filmgate.store.accounts import Accounts
from filmgate.store.allowance import Setting
from filmgate.store.audit import Finding
from filmgate.store.ends import End
from filmgate.store.ledger import Ledger
from filmgate.store.moves import Sending
from filmgate.store.work import Claim, OpenAttempt
from kit.worlds import World

PRICE = 800_000
KEPT = timedelta(days=1)
LEASE = timedelta(seconds=30)
ONLY = PlannedClip(1, ClipRole.FIRST, 1)


@dataclass(frozen=True, slots=True)
class Books:
    """The ids of tasks by how they stand."""

    world: World
    done: UUID
    failed: UUID
    running: UUID

    async def broken(self) -> dict[str, Sequence[str]]:
        """Audit the books; give what breaks each rule."""
        return {finding.rule: list(finding.examples) for finding in await self.check()}

    async def check(self) -> Sequence[Finding]:
        return await Ledger(self.world.pool).check()


async def sound_books(world: World) -> Books:
    """Give an account 10 dollars, make it prepaid, and let one film succeed, one fail and one run, at 0.80 each."""
    accounts = Accounts(world.pool)
    await accounts.give(world.owner.account_id, 10_000_000, author="operator", reason="a gift")
    await accounts.set("test", credit_micros=Setting(0))
    done = await collecting(world)
    await world.ends.end(succeeded(done))
    failed = await running(world)
    await world.ends.end(
        End(
            claim=failed,
            state=State.FAILED,
            kept=KEPT,
            failure=Failure("provider_failed", {}),
            attempt=AttemptState.FAILED,
        )
    )
    return Books(world, done.task_id, failed.task_id, (await running(world)).task_id)


async def running(world: World, *, list_cost_micros: int | None = None, hold_micros: int = PRICE) -> Claim:
    """Let a provider have taken a new task; give the claim of its first poll."""
    await world.accept(hold_micros=hold_micros)
    [claim] = await world.starts(1)
    sending = Sending(
        clip=1,
        no=1,
        credential_id=world.credential_id,
        provider="fake",
        key=f"{claim.task_id}.1.1",
        body_sha256="00",
        vendor_model="fake-1",
        list_cost_micros=list_cost_micros,
    )
    await world.moves.make(transitions.sending(claim, sending))
    attempt = OpenAttempt(
        clip=1,
        no=1,
        credential_id=world.credential_id,
        key=sending.key,
        body_sha256=sending.body_sha256,
        state=AttemptState.SENDING,
        ref=None,
        ticket=None,
        result=None,
        sent_at=claim.claimed_at,
    )
    sent = replace(claim, step=Step.SUBMIT, attempt=attempt)
    ticket = Ticket(f"job-{claim.task_id}", {}, timedelta(0))
    await world.moves.make(transitions.accepted(sent, ticket, timedelta(milliseconds=1), ONLY, 0))
    return await _due(world, Step.POLL, claim.task_id)


async def collecting(
    world: World,
    *,
    list_cost_micros: int | None = None,
    cost_micros: int | None = None,
    hold_micros: int = PRICE,
) -> Claim:
    """Let a provider have made a new task's film, and say what it takes for it."""
    claim = await running(world, list_cost_micros=list_cost_micros, hold_micros=hold_micros)
    await world.moves.make(transitions.done(claim, Done({"id": "job"}, cost_micros), last=True))
    return await _due(world, Step.COLLECT, claim.task_id)


def succeeded(claim: Claim) -> End:
    file_id = UUID(int=claim.task_id.int + 1)
    facts = FilmFacts("h264", 320, 180, 24.0, 24, 1.0, "aac", 48000, 1000, faststart=True)
    file = StoredFile(
        file_id, claim.task.account_id, claim.task_id, "video", "k", "video/mp4", 1000, "0" * 64
    )
    return End(
        claim=claim,
        state=State.SUCCEEDED,
        kept=KEPT,
        film=Film(facts, {"video": file_id}),
        files=[file],
        cost_micros=claim.task.hold_micros,
    )


async def _due(world: World, step: Step, task_id: UUID) -> Claim:
    await world.pool.execute("update work set due_at = now() where task_id = $1", task_id)
    claims = await world.claims.due(step, limit=9, lease=LEASE, since=0.0)
    return next(claim for claim in claims if claim.task_id == task_id)
