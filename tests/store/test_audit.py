"""The audit of the books: clean on sound ones, and for each thing done to them by hand it names just that."""

from dataclasses import dataclass, field

import pytest

from filmgate.store.ledger import Ledger
from filmgate.store.pool import Pool
from kit.books import Books, sound_books
from kit.worlds import make_world

_TABLES = (
    "accounts", "keys", "tasks", "work", "ledger", "entries", "attempts", "credentials", "files", "quotes", "forgotten",
)  # fmt: skip


_KEEP = "create table kept_{table} as table {table}"
_RESTORE = "delete from {table}; insert into {table} overriding system value select * from kept_{table}"


@pytest.fixture
async def books(pool: Pool) -> Books:
    return await sound_books(await make_world(pool, in_flight=9))


@dataclass(frozen=True)
class Corruption:
    """Statements that only a hand can do, and all that the audit must say of them."""

    does: tuple[str, ...]
    says: dict[str, list[str]] = field(default_factory=dict)


def _booking(task: str, kind: str) -> str:
    return f"(select id from ledger where task_id = '{task}' and kind = '{kind}')"  # noqa: S608  # ids of this test


CORRUPTIONS = {
    "a hold is deleted": Corruption(
        ("delete from entries where ledger_id = {hold}", "delete from ledger where id = {hold}"),
        {
            "one_hold": ["{running}: 0 holds"],
            "balances_are_their_entries": [
                "test: balance 8400000, entries 9200000",
                "test: held 800000, entries 0",
            ],
        },
    ),
    "a second close is forced past the index": Corruption(
        (
            "drop index ledger_once",
            (
                "insert into ledger (task_id, kind, account_id, key_id, model) "
                "select task_id, kind, account_id, key_id, model from ledger where id = {close}"
            ),
        ),
        {"one_close": ["{done}: closed 2 times"]},
    ),
    "a task that runs is closed": Corruption(
        (
            (
                "insert into ledger (task_id, kind, account_id, key_id, model) "
                "select task_id, 'close', account_id, key_id, model from ledger where id = {hold}"
            ),
        ),
        {"one_close": ["{running}: closed while it runs"]},
    ),
    "an ended task loses its close": Corruption(
        (
            "delete from entries where ledger_id = {returned}",
            "delete from ledger where id = {returned}",
        ),
        {
            "one_close": ["{failed}: not closed"],
            "balances_are_their_entries": [
                "test: balance 8400000, entries 7600000",
                "test: held 800000, entries 1600000",
            ],
        },
    ),
    "a charge stands without its film": Corruption(
        (
            "alter table tasks drop constraint tasks_film_when_succeeded",
            "update tasks set film = null where id = '{done}'",
        ),
        {"charged_for_a_film": ["{done}: charged 800000 without a film"]},
    ),
    "a charge is more than was held": Corruption(
        (
            "alter table tasks drop constraint tasks_check",
            "update tasks set cost_micros = 900000 where id = '{done}'",
        ),
        {
            "bookings_say_what_their_tasks_say": [
                "{done}: its close has 0 on available:1, not -100000",
                "{done}: its close has 800000 on revenue, not 900000",
            ],
            "charges_follow_the_price": ["{done}: charged 900000, and it succeeded holding 800000"],
            "charged_for_a_film": ["{done}: charged 900000, more than the 800000 it held"],
        },
    ),
    "one entry is changed": Corruption(
        ("update entries set amount_micros = 700000 where ledger_id = {close} and account = 'revenue'",),
        {
            "bookings_say_what_their_tasks_say": ["{done}: its close has 700000 on revenue, not 800000"],
            "entries_sum_to_zero": ["{done}: the entries of its close sum to -100000"],
            "spent_is_what_was_charged": [
                "key 1: spent 800000, charged 700000",
                "test: spent 800000, charged 700000",
            ],
        },
    ),
    "both entries are changed, and their sum stays": Corruption(
        (
            "update entries set amount_micros = sign(amount_micros) * 700000 where ledger_id = {hold}",
            "update accounts set balance_micros = balance_micros + 100000, held_micros = held_micros - 100000",
            "update keys set held_micros = held_micros - 100000",
        ),
        {
            "bookings_say_what_their_tasks_say": [
                "{running}: its hold has -700000 on available:1, not -800000",
                "{running}: its hold has 700000 on held:1, not 800000",
            ],
            "holds_are_those_of_unfinished_tasks": [
                "key 1: holds 700000 for 1 tasks, its tasks 800000 for 1",
                "test: holds 700000 for 1 tasks, its tasks 800000 for 1",
            ],
        },
    ),
    "a balance is changed": Corruption(
        ("update accounts set balance_micros = balance_micros + 1",),
        {"balances_are_their_entries": ["test: balance 8400001, entries 8400000"]},
    ),
    "a prepaid balance falls below its credit": Corruption(
        (
            "alter table accounts drop constraint accounts_check",
            "insert into ledger (kind, author, reason, account_id) values ('adjust', 'x', 'x', 1)",
            "insert into entries select max(id), 'available:1', -9000000 from ledger",
            "insert into entries select max(id), 'adjustments', 9000000 from ledger",
            "update accounts set balance_micros = balance_micros - 9000000",
        ),
        {"no_prepaid_balance_below_its_credit": ["test: -600000, its credit is 0"]},
    ),
    "what a key holds is changed": Corruption(
        ("update keys set held_micros = 0",),
        {
            "holds_are_those_of_unfinished_tasks": [
                "key 1: holds 0 for 1 tasks, its tasks 800000 for 1",
            ]
        },
    ),
    "what is spent is forgotten": Corruption(
        ("update accounts set spent_micros = 0",),
        {"spent_is_what_was_charged": ["test: spent 0, charged 800000"]},
    ),
    "a gift has no author": Corruption(
        ("update ledger set author = null where kind = 'topup'",),
        {"gifts_have_author_and_reason": ["booking 1: a topup with 2 entries, unsigned"]},
    ),
    "an entry is on an account that nobody knows": Corruption(
        ("update entries set account = 'mine' where ledger_id = {close} and account = 'revenue'",),
        {
            "bookings_say_what_their_tasks_say": [
                "{done}: its close has 0 on revenue, not 800000",
                "{done}: its close has 800000 on mine, not 0",
            ],
            "entries_are_on_known_accounts": ["booking 3: an entry on mine"],
            "spent_is_what_was_charged": [
                "key 1: spent 800000, charged 0",
                "test: spent 800000, charged 0",
            ],
        },
    ),
    "a booking is put on another account": Corruption(
        ("update ledger set account_id = 7 where id = {hold}",),
        {"bookings_name_their_owners": ["{running}: its hold names another owner or model"]},
    ),
    "a task is deleted": Corruption(
        ("delete from tasks where id = '{done}'",),
        {"bookings_have_their_tasks": ["{done}: booked, and there is no such task"]},
    ),
    "a price is changed after the fact": Corruption(
        (
            """update tasks set price = jsonb_set(price, '{{lines,0,unit_price_micros}}', '1') where id = '{running}'""",
        ),
        {"charges_follow_the_price": ["{running}: holds 800000, its price is 1"]},
    ),
    "a quote is used twice": Corruption(
        (
            (
                "insert into quotes (id, account_id, key_id, body_sha256, price, amount_micros, expires_at, task_id) "
                "values ('{failed}', 1, 1, '', '{{}}', 800000, now(), '{done}')"
            ),
            "update tasks set quote_id = '{failed}' where id in ('{done}', '{running}')",
        ),
        {"a_quote_binds_once": ["{running}: uses quote {failed}, which {done} uses"]},
    ),
    "a work row is deleted": Corruption(
        ("delete from work",),
        {"work_is_that_of_unfinished_tasks": ["{running}: unfinished, without a work row"]},
    ),
    "a work row stays behind": Corruption(
        (
            (
                "insert into work (task_id, step, due_at, model, account_id, key_id) "
                "values ('{done}', 'poll', now(), 'animatic', 1, 1)"
            ),
        ),
        {"work_is_that_of_unfinished_tasks": ["{done}: a work row of a task that is over, or of none"]},
    ),
    "the slots are counted wrongly": Corruption(
        ("update credentials set in_flight = 2",),
        {"slots_are_those_of_open_attempts": ["fake/default: 2 in flight, 1 open attempts"]},
    ),
    "a second attempt is sent while the first is open": Corruption(
        (
            (
                "insert into attempts (task_id, clip_no, no, credential_id, provider, key, state, result, closed_at) "
                "select task_id, clip_no, 2, credential_id, provider, key || '.2', 'done', '{{}}', now() from attempts "
                "where task_id = '{running}'"
            ),
        ),
        {"one_paid_job_a_clip": ["{running}: attempt {running}.1.1.2 followed one that is accepted"]},
    ),
    "a film loses its file": Corruption(
        ("delete from files",),
        {"films_have_their_files": ["{done}: its film has no file"]},
    ),
    "what was forgotten loses a booking": Corruption(
        (
            (
                "insert into forgotten (from_id, to_id, tasks, held_micros, charged_micros, begun_at, done_at) "
                "values ('00000000-0000-0000-0000-000000000000', 'ffffffff-0000-0000-0000-000000000000', "
                "4, 2400000, 800000, '2026-01-01', now())"
            ),
        ),
        {
            "what_was_forgotten_is_still_booked": [
                "tasks before 2026-01-01: 4 tasks held 2400000 and were charged 800000, booked are 3, 2400000 and 800000"
            ]
        },
    ),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
async def test_each_thing_that_is_done_to_the_books_by_hand_is_named_and_nothing_else(
    books: Books, name: str
) -> None:
    corruption = CORRUPTIONS[name]
    done, failed, running = str(books.done), str(books.failed), str(books.running)
    ids = {"done": done, "failed": failed, "running": running}
    bookings = {
        "hold": _booking(running, "hold"),
        "close": _booking(done, "close"),
        "returned": _booking(failed, "close"),
    }
    assert await books.broken() == {}
    async with books.world.pool.acquire() as connection:
        # Foreign keys hold as little as anything else of what a hand can do.
        await connection.execute("set session_replication_role = replica")
        for table in _TABLES:
            await connection.execute(_KEEP.format(table=table))
        for statement in corruption.does:
            await connection.execute(statement.format(**ids, **bookings))
        expected = {
            rule: sorted(text.format(**ids) for text in texts) for rule, texts in corruption.says.items()
        }
        found = await Ledger(books.world.pool).check()
        assert {finding.rule: sorted(finding.examples) for finding in found} == expected
        assert all(finding.count == len(finding.examples) for finding in found)
        for table in _TABLES:
            await connection.execute(_RESTORE.format(table=table))
    assert await books.broken() == {}


async def test_of_many_that_break_a_rule_the_first_are_shown_and_all_are_counted(books: Books) -> None:
    await books.world.pool.execute(
        "insert into work (task_id, step, due_at, model, account_id, key_id) "
        "select gen_random_uuid(), 'poll', now(), 'animatic', 1, 1 from generate_series(1, 50)"
    )
    [finding] = await books.check()
    assert (finding.rule, finding.count, len(finding.examples)) == (
        "work_is_that_of_unfinished_tasks",
        50,
        20,
    )
