"""What must hold after every run, whatever was killed, lost, late or lied about.

The rules compare logs that share no code, and share none with the product; each names itself by its number:

I1   what was accepted is stored, and one idempotency key has one task
I2   every job carries the key of an attempt, and no key was sent twice, but as a declared replay
I3   no second job for a clip while the first may still come to something
I4   one hold for every task, one close for every ended one, none for any other
I5   a capture is a stored film whose bytes the vendor served; what failed cost nothing
I6   entries sum to zero, balances are their entries, no prepaid balance is overdrawn
I7   nothing follows an end, and nothing that was told is taken back
I8   once faults stop everything ends in time, and nothing is left behind
I9   every end is told to everyone who subscribed, with one id and the same bytes, and to nobody else
I10  nobody is told of another's task, and no secret is told at all
"""

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from kit.logs import Job, Moment, Received, ReceiverLog, StoreLog, Told, VendorLog

ENDS: Final = frozenset({"succeeded", "failed", "cancelled", "expired"})
ORDER: Final = ("queued", "preparing", "generating", "extending", "upsampling", "collecting")
OVER: Final = frozenset({"failed", "cancelled", "vanished"})
GRACE: Final = timedelta(seconds=120)
COLLECTING: Final = timedelta(hours=2)
LOOKING: Final = timedelta(minutes=30)
"""How long a job of which nobody heard is looked for, whatever its deadline says."""
_COUNTED: Final = {
    "accounts": ("held_micros", "unfinished", "running"),
    "keys": ("held_micros", "unfinished", "running"),
    "credentials": ("in_flight",),
}


@dataclass(frozen=True, slots=True)
class Violation:
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Logs:
    vendors: Sequence[VendorLog]
    store: StoreLog
    receiver: ReceiverLog
    clients: Sequence[Told]
    moment: Moment

    @property
    def tasks(self) -> Mapping[str, Mapping[str, Any]]:
        return {task["id"]: task for task in self.store.rows("tasks")}

    @property
    def attempts(self) -> Mapping[str, Mapping[str, Any]]:
        return {attempt["key"]: attempt for attempt in self.store.rows("attempts")}


def check(
    vendors: Sequence[VendorLog],
    store: StoreLog,
    receiver: ReceiverLog,
    clients: Sequence[Told],
    moment: Moment = Moment(),  # noqa: B008  # it is frozen
) -> list[Violation]:
    """Compare the logs; an empty answer says that every rule held."""
    logs = Logs(vendors, store, receiver, clients, moment)
    return [Violation(rule, text) for rule, found in _RULES for text in found(logs)]


def _accepted(logs: Logs) -> Iterator[str]:
    tasks = logs.tasks
    by_key: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for told in logs.clients:
        if told.what != "accepted" or told.task is None:
            continue
        task = tasks.get(told.task)
        if task is None:
            yield f"{told.task} was accepted and is not stored"
        elif task["account_id"] != told.client:
            yield f"{told.task} was accepted for {told.client} and belongs to {task['account_id']}"
        if told.idempotency_key is not None:
            by_key[told.client, told.idempotency_key].add(told.task)
    for (_, key), known in by_key.items():
        if len(known) > 1:
            yield f"{key} was answered with {sorted(known)}"
    yield from _asked_once(logs)


def _asked_once(logs: Logs) -> Iterator[str]:
    keyed = {told.wish: told.idempotency_key for told in logs.clients if told.idempotency_key is not None}
    for wish, count in Counter(task["wish"] for task in logs.tasks.values()).items():
        if count > 1 and wish in keyed:
            yield f"{keyed[wish]} has {count} tasks in the store"


def _sent_once(logs: Logs) -> Iterator[str]:
    attempts = logs.attempts
    for vendor in logs.vendors:
        for key, count in Counter(submit.key for submit in vendor.submits).items():
            if key is None or key not in attempts:
                yield f"{key} was sent, and is the key of no attempt"
            elif count > 1 and not vendor.replays:
                yield f"{key} was sent {count} times to one that does not replay"
        for key, count in Counter(job.key for job in vendor.jobs).items():
            if count > 1:
                yield f"{key} has {count} jobs"
        for job in vendor.jobs:
            known = attempts.get(job.key or "")
            if known is None:
                yield f"{job.ref} was begun for {job.key}, the key of no attempt"
            elif known["provider"] not in vendor.names:
                yield f"{job.ref} was begun for {job.key}, an attempt of {known['provider']}"


def _never_two(logs: Logs) -> Iterator[str]:
    attempts = logs.attempts
    clips: defaultdict[tuple[str, int], list[Job]] = defaultdict(list)
    for vendor in logs.vendors:
        for job in vendor.jobs:
            attempt = attempts.get(job.key or "")
            if attempt is not None:
                clips[attempt["task_id"], attempt["clip_no"]].append(job)
    for (task, clip), jobs in clips.items():
        ordered = sorted(jobs, key=lambda job: job.at)
        for earlier, later in itertools.pairwise(ordered):
            over = earlier.end in OVER and earlier.ended_at is not None and earlier.ended_at <= later.at
            if not over:
                yield f"{later.key} was begun while {earlier.key} could still come to something: {task} clip {clip}"


def _held_once(logs: Logs) -> Iterator[str]:
    kinds = Counter((row["task_id"], row["kind"]) for row in logs.store.rows("ledger"))
    for id_, task in logs.tasks.items():
        holds, closes = kinds.pop((id_, "hold"), 0), kinds.pop((id_, "close"), 0)
        if holds != 1:
            yield f"{id_} has {holds} holds"
        if closes != (task["state"] in ENDS):
            yield f"{id_} is {task['state']} and has {closes} closes"
    for task_id, kind in kinds:
        if task_id is not None:
            yield f"a {kind} for {task_id}, which is no task"


def _captured(logs: Logs) -> Iterator[str]:
    booked = {
        row["task_id"]: {entry["account"]: entry["amount_micros"] for entry in entries}
        for row, entries in _booked(logs, "close")
    }
    for id_, task in logs.tasks.items():
        if task["state"] not in ENDS:
            continue
        cost = task["cost_micros"]
        revenue = booked.get(id_, {}).get("revenue", 0)
        if cost != revenue:
            yield f"{id_} cost {cost}, and {revenue} was booked"
        if cost and task["film"] is None:
            yield f"{id_} is {task['state']}, cost {cost} and has no film"
        if cost > task["hold_micros"]:
            yield f"{id_} cost {cost}, more than was held"
        if task["state"] == "succeeded" and cost != task["hold_micros"] and not task["unscaled"]:
            yield f"{id_} succeeded and cost {cost} of {task['hold_micros']}"
        if task["state"] == "failed" and cost and task["error_code"] != "extend_failed":
            yield f"{id_} failed as {task['error_code']} and cost {cost}"
        if task["film"] is not None:
            yield from _stored(logs, task)


def _stored(logs: Logs, task: Mapping[str, Any]) -> Iterator[str]:
    """Compare what is stored of a film with what its vendors served; what the gate itself made of it is its own."""
    attempts = logs.store.of("attempts", task["id"])
    known = {name for vendor in logs.vendors for name in vendor.names}
    if not {attempt["provider"] for attempt in attempts} <= known or task["deleted_at"] is not None:
        return
    files = logs.store.of("files", task["id"])
    if logs.store.objects is not None:
        for file in files:
            if logs.store.objects.get(file["object_key"]) != file["sha256"]:
                yield f"{task['id']}: {file['object_key']} is not stored as it was written down"
    clips = {file["sha256"] for file in files if file["role"] in {"video", "clip"}}
    if task["goes_on_from"] is not None:
        yield from _gone_on(logs, task, clips)
        if task["state"] != "succeeded":
            # The film that it was to go on from is all there is.
            return
    keys = {attempt["key"] for attempt in attempts}
    jobs = [job for vendor in logs.vendors for job in vendor.jobs if job.key in keys]
    if not any(clips & job.served for job in jobs):
        yield f"{task['id']}: {task['state']} with a film that no vendor served"


def _gone_on(logs: Logs, task: Mapping[str, Any], clips: AbstractSet[str]) -> Iterator[str]:
    """Compare the beginning of an extension with the very file that it was to go on from."""
    for file in logs.store.rows("files"):
        if file["id"] == task["goes_on_from"]:
            if file["account_id"] != task["account_id"]:
                yield f"{task['id']} goes on from a film of account {file['account_id']}"
            if file["sha256"] not in clips:
                yield f"{task['id']} does not go on from {file['object_key']}"


def _balanced(logs: Logs) -> Iterator[str]:
    sums: Counter[int] = Counter()
    accounts: Counter[str] = Counter()
    for entry in logs.store.rows("entries"):
        sums[entry["ledger_id"]] += entry["amount_micros"]
        accounts[entry["account"]] += entry["amount_micros"]
    for ledger_id, total in sums.items():
        if total:
            yield f"the entries of {ledger_id} sum to {total}"
    for account in logs.store.rows("accounts"):
        for column, kind in (("balance_micros", "available"), ("held_micros", "held")):
            expected = accounts[f"{kind}:{account['id']}"]
            if account[column] != expected:
                yield f"account {account['id']}: {column} is {account[column]}, its entries say {expected}"
        credit = account["credit_micros"]
        if credit is not None and account["balance_micros"] < -credit:
            yield f"account {account['id']} has {account['balance_micros']}, below its credit of {credit}"
    yield from _holding(logs)


def _holding(logs: Logs) -> Iterator[str]:
    holding = Counter[int]()
    for task in logs.tasks.values():
        holding[task["account_id"]] += 0 if task["state"] in ENDS else task["hold_micros"]
    for account in logs.store.rows("accounts"):
        if account["held_micros"] != holding[account["id"]]:
            yield f"account {account['id']} holds {account['held_micros']}, its tasks {holding[account['id']]}"


def _never_back(logs: Logs) -> Iterator[str]:
    seen: defaultdict[str, list[Told]] = defaultdict(list)
    for told in sorted(logs.clients, key=lambda one: one.ended):
        if told.task is None or told.state is None:
            continue
        # Two questions that overlap may be answered in any order.
        for before in seen[told.task]:
            if before.ended < told.began and (text := _taken_back(before, told)):
                yield f"{told.task}: {text}"
        seen[told.task].append(told)
    tasks = logs.tasks
    for told in logs.clients:
        task = tasks.get(told.task or "")
        if task is None or told.state not in ENDS:
            continue
        if (told.state, told.cost_micros) != (task["state"], task["cost_micros"]):
            yield f"{told.task} was told to be {told.state}, and is {task['state']}"


def _taken_back(before: Told, after: Told) -> str | None:
    if before.state in ENDS:
        same = (before.state, before.cost_micros) == (after.state, after.cost_micros)
        return None if same else f"{before.state} became {after.state}"
    if after.state in ENDS:
        return None
    if ORDER.index(str(after.state)) < ORDER.index(str(before.state)):
        return f"{before.state} became {after.state}"
    if (after.progress or 0) < (before.progress or 0):
        return f"progress {before.progress} became {after.progress}"
    return None


def _at_rest(logs: Logs) -> Iterator[str]:
    if logs.moment.at_rest:
        yield from _ended_in_time(logs)
        yield from _left_behind(logs)


def _ended_in_time(logs: Logs) -> Iterator[str]:
    for id_, task in logs.tasks.items():
        if task["state"] not in ENDS:
            yield f"{id_} is {task['state']} for ever"
            continue
        attempts = logs.store.of("attempts", id_)
        looked_for = [
            one["sent_at"] + LOOKING
            for one in attempts
            if one["vendor_ref"] is None or one["error_class"] == "uncertain"
        ]
        start = max(filter(None, (task["deadline_at"], logs.moment.calm_since, *looked_for)))
        made = any(attempt["state"] == "done" for attempt in attempts)
        if task["ended_at"] > start + GRACE + (COLLECTING if made else timedelta(0)):
            yield f"{id_} ended at {task['ended_at']}, its deadline was {task['deadline_at']}"


def _left_behind(logs: Logs) -> Iterator[str]:
    for row in logs.store.rows("work"):
        yield f"a work row of {row['task_id']} is left, at {row['step']}"
    for attempt in logs.store.rows("attempts"):
        if attempt["closed_at"] is None:
            yield f"{attempt['key']} is still {attempt['state']}"
    for table, columns in _COUNTED.items():
        for row in logs.store.rows(table):
            left = {name: row[name] for name in columns if row[name]}
            if left:
                yield f"{table} {row['id']} is left with {left}"
    for row in logs.store.rows("deliveries"):
        if row["state"] == "due":
            yield f"delivery {row['id']} is still due"


def _announced(logs: Logs) -> Iterator[str]:
    tasks = logs.tasks
    rows = {f"wh_{row['id'].replace('-', '')}": row for row in logs.store.rows("deliveries")}
    bodies: defaultdict[str, set[bytes]] = defaultdict(set)
    well: set[str] = set()
    for came in logs.receiver.received:
        row = rows.get(came.id)
        if row is None:
            yield f"{came.id} came to {came.url} and is not in the store"
            continue
        bodies[came.id].add(came.body)
        well.add(came.id)
        yield from _true(came, row, tasks[row["task_id"]], logs)
    for id_, versions in bodies.items():
        if len(versions) > 1:
            yield f"{id_} came with {len(versions)} bodies"
    for id_, row in rows.items():
        if row["state"] == "delivered" and id_ not in well:
            yield f"{id_} counts as delivered, and never came to {row['url']}"
    yield from _untold(logs)


def _true(came: Received, row: Mapping[str, Any], task: Mapping[str, Any], logs: Logs) -> Iterator[str]:
    if not came.verified:
        yield f"{came.id} came with a wrong signature"
    if came.body != row["body"] or came.url != row["url"]:
        yield f"{came.id} came with another body or to another address than was stored"
    owner = logs.receiver.owners.get(came.url)
    if owner is not None and owner != task["account_id"]:
        yield f"{came.id} of account {task['account_id']} came to {owner}"
    said = json.loads(came.body)["type"]
    right = "video.completed" if task["state"] == "succeeded" else "video.failed"
    if task["state"] not in ENDS or said != right:
        yield f"{came.id} says {said} of a task that is {task['state']}"


def _untold(logs: Logs) -> Iterator[str]:
    """Find ends of which somebody should have been told and no delivery was written."""
    written = {(row["task_id"], row["url"]) for row in logs.store.rows("deliveries")}
    counted = Counter((row["task_id"], row["url"]) for row in logs.store.rows("deliveries"))
    for (task_id, url), count in counted.items():
        if count > sum(1 for one in logs.store.rows("endpoints") if one["url"] == url) + 1:
            yield f"{task_id} has {count} deliveries to {url}"
    for id_, task in logs.tasks.items():
        if task["state"] not in ENDS:
            continue
        event = "video.completed" if task["state"] == "succeeded" else "video.failed"
        wanted = {task["callback_url"]} - {None}
        for row in logs.store.rows("endpoints"):
            stands = row["deleted_at"] is None and row["disabled_at"] is None
            before = row["created_at"] < task["ended_at"] and row["updated_at"] < task["ended_at"]
            if row["account_id"] == task["account_id"] and event in row["events"] and stands and before:
                wanted.add(row["url"])
        for url in sorted(str(one) for one in wanted):
            if (id_, url) not in written:
                yield f"{url} was never to be told that {id_} is {task['state']}"


def _kept_apart(logs: Logs) -> Iterator[str]:
    tasks = logs.tasks
    for told in logs.clients:
        task = tasks.get(told.task or "")
        if task is not None and told.what != "hidden" and task["account_id"] != told.client:
            yield f"{told.client} was told of {told.task}, which is {task['account_id']}'s"
    for secret in logs.moment.secrets:
        for text in logs.moment.texts:
            if secret in text:
                yield f"a secret is told in {text[:80]!r}"


def _booked(logs: Logs, kind: str) -> Iterator[tuple[Mapping[str, Any], list[Mapping[str, Any]]]]:
    entries: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in logs.store.rows("entries"):
        entries[entry["ledger_id"]].append(entry)
    for row in logs.store.rows("ledger"):
        if row["kind"] == kind:
            yield row, entries[row["id"]]


_RULES: Final[Sequence[tuple[str, Callable[[Logs], Iterator[str]]]]] = (
    ("I1", _accepted),
    ("I2", _sent_once),
    ("I3", _never_two),
    ("I4", _held_once),
    ("I5", _captured),
    ("I6", _balanced),
    ("I7", _never_back),
    ("I8", _at_rest),
    ("I9", _announced),
    ("I10", _kept_apart),
)
