"""What a seed decides: who asks for what, how vendors and receivers behave, and how bad the weather is."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from filmgate.domain.catalogue import Catalogue, read_catalogue
from filmgate.domain.contracts_provider import ProviderConfig
from filmgate.engine.route import RouteRule, Via
from simulation.vendor import Manners

CATALOGUE: Final = """
[offers.plain]
seconds = { one_of = [4, 8], default = 4 }
sizes = ["1280x720"]
deadline_minutes = 10
[offers.long]
seconds = { one_of = [4, 8], default = 4 }
sizes = ["1280x720"]
extension = { seconds = 7 }
deadline_minutes = 15
[offers.large]
seconds = { one_of = [4], default = 4 }
sizes = ["1280x720"]
upsample_side = 1080
deadline_minutes = 8
"""
MODELS: Final = {"plain": "plain", "long": "long", "large": "large"}
_MODEL: Final = """
[[models]]
name = "{name}"
owner = "s"
about = "s"
offers = {{ gate = "{name}" }}
[[prices]]
models = "{name}"
since = 2020-01-01
per_second = {{ 720p = 0.1, 1080p = 0.2 }}
"""
SECOND_MICROS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """An account with its one key; `balance_micros` None spends freely."""

    id: int
    balance_micros: int | None
    max_running: int | None
    max_unfinished: int | None
    submits_per_minute: int | None
    soften: bool
    wishes: int
    endpoints: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How often what goes wrong; shares are of each call or question, `every_s` is the mean between two blows."""

    lossy: float
    down: float
    lost: float
    faulty: float
    moody: float
    gone: float
    failpoints: float
    removals: float
    """How often a node starts without one of its providers' credentials."""
    every_s: float
    lasts_s: float
    late_s: float
    slow_s: float
    """How long a way over the network takes at most; the workshop is as slow."""
    blows: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    seed: int
    customers: Sequence[Customer]
    vendors: Mapping[str, Manners]
    configs: Sequence[ProviderConfig]
    limits: Mapping[str, tuple[int, float | None]]
    rules: Sequence[RouteRule]
    nodes: int
    weather: Weather


BLOWS: Final = (
    "kill", "kill", "kill", "freeze", "freeze", "away", "clock", "database clock", "delete work", "due work",
    "stop", "upgrade", "settle", "settle",
)  # fmt: skip


def catalogue() -> Catalogue:
    return read_catalogue([CATALOGUE + "".join(_MODEL.format(name=name) for name in MODELS)])


def script_of(seed: int, *, poll_after_ms: int | None = None) -> Script:
    """Draw a world; its vendors want to be asked again as soon as is said, which none says by itself."""
    dice = random.Random(f"script {seed}")
    names = ["a", "b"][: dice.choice((1, 1, 2))]
    vendors = {name: replace(_manners(dice), poll_after_ms=poll_after_ms) for name in names}
    configs: list[ProviderConfig] = []
    limits: dict[str, tuple[int, float | None]] = {}
    for name in names:
        manners = vendors[name]
        options = {
            "idempotent": manners.replays,
            "find": manners.finds,
            "visible_after_s": manners.visible_after_s,
            "cancel": manners.cancels,
        }
        configs += [
            ProviderConfig(
                name=name,
                kind="openai",
                base_url=f"https://{name}.test",
                credential_name=f"K{number}",
                credential=f"secret-of-{name}-{number}",
                options=options,
            )
            for number in range(dice.choice((1, 1, 2)))
        ]
        limits[name] = dice.choice((1, 2, 9)), dice.choice((None, None, 0.5))
    vias = tuple(Via(name, "sora-2", dice.choice((1, 3)), dice.choice((0, 0, 1))) for name in names)
    return Script(
        seed=seed,
        customers=[_customer(dice, number) for number in range(1, dice.choice((1, 2, 3)) + 1)],
        vendors=vendors,
        configs=configs,
        limits=limits,
        rules=[RouteRule("*", vias)],
        nodes=dice.choice((1, 2, 2)),
        weather=_weather(dice),
    )


def _customer(dice: random.Random, number: int) -> Customer:
    balance = dice.choice((None, None, 0, 4 * SECOND_MICROS, 12 * SECOND_MICROS, 10_000_000))
    return Customer(
        id=number,
        balance_micros=balance,
        max_running=dice.choice((None, None, 1, 2)),
        max_unfinished=dice.choice((None, None, None, 2)),
        submits_per_minute=dice.choice((None, None, None, 2)),
        soften=dice.random() < 0.5,
        wishes=dice.choice((1, 1, 2, 3)),
        endpoints=dice.choice((0, 1, 1, 2)),
    )


def _manners(dice: random.Random) -> Manners:
    def sometimes(share: float, most: float) -> float:
        return dice.uniform(0, most) if dice.random() < share else 0.0

    return Manners(
        replays=dice.random() < 0.3,
        finds=dice.random() < 0.5,
        visible_after_s=dice.choice((0, 10, 60)),
        cancels=dice.random() < 0.5,
        takes_s=dice.choice((5.0, 40.0, 120.0)),
        fails=sometimes(0.3, 0.5),
        refuses=sometimes(0.2, 0.3),
        never_ends=sometimes(0.2, 0.4),
        vanishes=sometimes(0.15, 0.5),
        stops=sometimes(0.15, 0.5),
        busy=sometimes(0.3, 0.6),
        broken=sometimes(0.2, 0.5),
        silent=sometimes(0.6, 0.7),
        mumbles=sometimes(0.5, 0.5),
        torn=sometimes(0.4, 0.8),
        repeats_ids=sometimes(0.1, 0.5),
    )


def _weather(dice: random.Random) -> Weather:
    fine = dice.random() < 0.15

    def sometimes(share: float, most: float) -> float:
        return dice.uniform(0, most) if dice.random() < share and not fine else 0.0

    blows = [] if fine else [blow for blow in BLOWS if dice.random() < 0.6]
    return Weather(
        lossy=sometimes(0.3, 0.02),
        down=sometimes(0.3, 0.2),
        lost=sometimes(0.4, 0.2),
        faulty=sometimes(0.3, 0.1),
        moody=sometimes(0.5, 0.9),
        gone=sometimes(0.1, 0.3),
        failpoints=sometimes(0.5, 0.05),
        removals=sometimes(0.2, 0.6),
        every_s=dice.choice((5.0, 20.0, 60.0)),
        lasts_s=dice.choice((60.0, 200.0, 500.0)),
        late_s=dice.choice((0.2, 2.0, 15.0)),
        slow_s=0.2 if fine else dice.choice((0.2, 0.2, 4.0, 30.0)),
        blows=blows,
    )
