"""What operators allow accounts and keys, and how what was spent is counted when a period is set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from filmgate.domain.limits import WINDOW_AHEAD

# A period that is over is left by whoever spends next; until then its sum is not what is spent.
SPENT: Final = """case when {row}.period_start < date_trunc({row}.budget_period, now(), 'UTC') then 0
    else {row}.spent_micros end as spent_micros"""
# One that began after this was asked, as it does at midnight, is kept; one that lies further ahead began by a clock that was
# set back since.
PERIOD_STARTS: Final = f"""greatest(date_trunc({{period}}, now(), 'UTC'),
    case when {{row}}.period_start <= now() + interval '{WINDOW_AHEAD.total_seconds()} s'
        then date_trunc({{period}}, {{row}}.period_start, 'UTC') end)"""
# When a key took over what another had spent.
TAKEN_AT: Final = "coalesce({row}.carried_at, {row}.created_at)"
PERIOD_ENDS: Final = (
    "date_trunc({row}.budget_period, now(), 'UTC')"
    " + ('1 ' || {row}.budget_period)::interval as period_ends_at"
)

# Whoever writes it has locked the row: what ends meanwhile is summed by one of the two, never by both. What has no period
# counts all that was ever charged, be it by a clock that was set back since the row was made.
_SET: Final = """
with period as (
    select p.id, coalesce({starts}, '-infinity') as since from {table} p where p.id = $1
), began as (
    select p.id, {carried} as carried,
        case when not {named} then p.period_start when isfinite(r.since) then r.since
            else least(p.created_at, (select min(l.at) from ledger l where l.kind = 'close' and {owns})) end as at
    from period r join {table} p on p.id = r.id
)
update {table} p set {columns}, period_start = b.at,
    spent_micros = case when not {named} then p.spent_micros else coalesce((
        select sum(e.amount_micros) from ledger l join entries e on e.ledger_id = l.id and e.account = 'revenue'
        where l.kind = 'close' and {owns} and l.at >= b.at), 0) + b.carried end
    {also}
from began b where p.id = b.id
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value to write, which may be None; a Setting that is not there leaves what is."""

    value: bool | datetime | int | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The columns of a table that operators set; `owns` finds the bookings `l` of a row.

    What the row took over besides since `r.since`, `carried`, is kept in the column of that name where it is `known`.
    """

    table: str
    columns: Sequence[str]
    owns: str
    carried: str = ""
    known: str = "true"

    @property
    def statement(self) -> str:
        """Give what writes them to the row of id `$1`; the other values are those of `values`."""
        period = self.columns.index("budget_period")
        return _SET.format(
            table=self.table,
            columns=", ".join(
                f"{name} = case when {_named(no)} then {_value(no)} else p.{name} end"
                for no, name in enumerate(self.columns)
            ),
            named=_named(period),
            owns=self.owns,
            carried=self.carried or "0",
            starts=PERIOD_STARTS.format(row="p", period=_value(period)),
            also=f", carried_micros = case when {_named(period)} and {self.known} then b.carried else p.carried_micros end"
            if self.carried
            else "",
        )

    def values(self, settings: Mapping[str, Setting]) -> Sequence[bool | datetime | int | str | None]:
        """Give the statement's values after the first; raise TypeError for a column that nobody sets."""
        unknown = settings.keys() - set(self.columns)
        if unknown:
            raise TypeError(f"none of {self.table} has {unknown}")
        return [part for name in self.columns for part in _given(settings.get(name))]


def _named(no: int) -> str:
    return f"${2 + 2 * no}"


def _value(no: int) -> str:
    return f"${3 + 2 * no}"


def _given(setting: Setting | None) -> tuple[bool, bool | datetime | int | str | None]:
    return setting is not None, None if setting is None else setting.value
