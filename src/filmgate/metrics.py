"""The metrics that there are, and how they are counted, summed over processes and written for Prometheus.

Labels are bounded: no key, id, prompt or address is ever in one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

TASK_SECONDS: Final = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 2400.0)
HTTP_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LAG_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0)
RATIOS: Final = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)


CLOCK_OFFSET: Final = "filmgate_clock_offset_seconds"


class Kind(StrEnum):
    COUNTER = "counter"
    """Counted by each process; the sum of all processes of the gate is shown."""
    HISTOGRAM = "histogram"
    GAUGE = "gauge"
    """Read from the database for a scrape: each process gives the same."""


@dataclass(frozen=True, slots=True)
class Meter:
    name: str
    kind: Kind
    labels: tuple[str, ...]
    says: str
    buckets: tuple[float, ...] = ()


_MODEL_PROVIDER: Final = ("model", "provider")

METERS: Final[Mapping[str, Meter]] = {
    meter.name: meter
    for meter in (
        Meter("filmgate_tasks_accepted", Kind.COUNTER, ("dialect", "model"), "Tasks accepted."),
        Meter(
            "filmgate_tasks_finished", Kind.COUNTER, (*_MODEL_PROVIDER, "outcome", "reason"), "Tasks ended."
        ),
        Meter("filmgate_tasks_active", Kind.GAUGE, ("phase", "provider"), "Tasks that have not ended."),
        Meter("filmgate_queue_depth", Kind.GAUGE, ("provider",), "Tasks that wait to be sent."),
        Meter(
            "filmgate_queue_oldest_age_seconds",
            Kind.GAUGE,
            ("provider",),
            "Since the oldest of them was accepted.",
        ),
        Meter(
            "filmgate_task_wait_duration_seconds",
            Kind.HISTOGRAM,
            ("model",),
            "From accepting to the start.",
            TASK_SECONDS,
        ),
        Meter(
            "filmgate_task_run_duration_seconds",
            Kind.HISTOGRAM,
            _MODEL_PROVIDER,
            "From the start to the end.",
            TASK_SECONDS,
        ),
        Meter(
            "filmgate_provider_request_duration_seconds",
            Kind.HISTOGRAM,
            ("provider", "operation", "result"),
            "Requests to providers.",
            HTTP_SECONDS,
        ),
        Meter("filmgate_provider_up", Kind.GAUGE, ("provider",), "Whether a provider may be sent films."),
        Meter("filmgate_attempts", Kind.COUNTER, ("provider", "outcome"), "Attempts that are over."),
        Meter(
            "filmgate_poll_lag_seconds",
            Kind.HISTOGRAM,
            ("provider",),
            "From when a poll was due to when it began.",
            LAG_SECONDS,
        ),
        Meter(
            "filmgate_worker_heartbeat_age_seconds",
            Kind.GAUGE,
            (),
            "Since any engine last gave a sign of life.",
        ),
        Meter("filmgate_workers", Kind.GAUGE, (), "Engines that gave a sign of life within 30 s."),
        Meter(
            CLOCK_OFFSET,
            Kind.GAUGE,
            (),
            "By how much an engine's clock is ahead of the database's; of several the one that is most wrong.",
        ),
        Meter("filmgate_money_held_micros", Kind.COUNTER, _MODEL_PROVIDER, "Micro-dollars held."),
        Meter("filmgate_money_captured_micros", Kind.COUNTER, _MODEL_PROVIDER, "Micro-dollars charged."),
        Meter("filmgate_money_released_micros", Kind.COUNTER, _MODEL_PROVIDER, "Micro-dollars given back."),
        Meter(
            "filmgate_money_cost_micros", Kind.COUNTER, ("provider",), "Micro-dollars that providers cost."
        ),
        Meter("filmgate_ledger_imbalance_micros", Kind.GAUGE, (), "What the books are out by; must be 0."),
        Meter(
            "filmgate_eta_covered",
            Kind.COUNTER,
            ("model", "covered"),
            "Runs with an estimate, by whether they ended within it.",
        ),
        Meter(
            "filmgate_quote_difference_ratio",
            Kind.HISTOGRAM,
            ("model",),
            "How far what a film cost was from what was held for it.",
            RATIOS,
        ),
        Meter("filmgate_webhook_deliveries", Kind.COUNTER, ("outcome",), "Tries to deliver an event."),
        Meter(
            "filmgate_delivery_duration_seconds",
            Kind.HISTOGRAM,
            ("destination", "outcome"),
            "Tries to deliver an event or a film.",
            HTTP_SECONDS,
        ),
        Meter("filmgate_storage_bytes", Kind.GAUGE, ("kind",), "Bytes of the files that are kept."),
        Meter(
            "filmgate_store_up",
            Kind.GAUGE,
            (),
            "Whether the database answered; without it nothing else is shown.",
        ),
        Meter(
            "filmgate_store_outages",
            Kind.COUNTER,
            (),
            "Questions of engines that the database did not answer.",
        ),
        Meter("filmgate_notices", Kind.COUNTER, ("kind",), "What operators should look at."),
        Meter("filmgate_storage_up", Kind.GAUGE, (), "Whether films can be stored, as far as is known."),
        Meter("filmgate_storage_failures", Kind.COUNTER, ("trouble",), "Failures of where films are kept."),
        Meter("filmgate_storage_swept", Kind.COUNTER, ("kind",), "Objects that nothing needed, removed."),
        Meter(
            "http_server_request_duration_seconds",
            Kind.HISTOGRAM,
            ("http_route", "method", "status", "dialect"),
            "Requests that were answered.",
            HTTP_SECONDS,
        ),
    )
}

Labels: TypeAlias = tuple[str, ...]
Values: TypeAlias = list[float]
"""A counter's count; or a histogram's sum, then how many fell into each bucket, the last of which has no end."""
Counts: TypeAlias = "dict[str, list[tuple[Sequence[str], Values]]]"
"""All that is counted, by the meter's name, as JSON holds it."""
Gauges: TypeAlias = "Mapping[str, Mapping[Labels, float]]"


class Tally:
    """What one process has counted since it started."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, Labels], Values] = {}

    def count(self, name: str, *labels: str, by: float = 1) -> None:
        self._of(name, labels)[0] += by

    def observe(self, name: str, *labels: str, value: float) -> None:
        values = self._of(name, labels)
        values[0] += value
        buckets = METERS[name].buckets
        values[1 + next((no for no, most in enumerate(buckets) if value <= most), len(buckets))] += 1

    def counts(self) -> Counts:
        return _counts(self._values)

    def _of(self, name: str, labels: Labels) -> Values:
        if (name, labels) not in self._values:
            meter = METERS[name]
            self._values[name, labels] = [0.0] * _width(meter)
        return self._values[name, labels]


def summed(all_counts: Iterable[Counts]) -> Counts:
    """Add up what several processes have counted; what another version counted otherwise is left out."""
    total: dict[tuple[str, Labels], Values] = {}
    for counts in all_counts:
        for meter, labels, values in _readable(counts):
            before = total.get((meter.name, labels), [0.0] * len(values))
            total[meter.name, labels] = [old + new for old, new in zip(before, values, strict=True)]
    return _counts(total)


def less(counts: Counts, earlier: Counts) -> Counts:
    """Take away from counts what is counted elsewhere by now."""
    taken = {(meter.name, labels): values for meter, labels, values in _readable(earlier)}
    left = {
        (meter.name, labels): [
            now - before
            for now, before in zip(values, taken.get((meter.name, labels), [0.0] * len(values)), strict=True)
        ]
        for meter, labels, values in _readable(counts)
    }
    return _counts(left)


def exposition(counts: Counts, gauges: Gauges) -> tuple[bytes, str]:
    """Write counts and gauges as Prometheus reads them; give the text and its media type."""
    registry = CollectorRegistry()
    registry.register(_Shown([*_counted(counts), *_gauged(gauges)]))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Shown(Collector):
    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _counted(counts: Counts) -> Iterator[Metric]:
    shown: dict[str, CounterMetricFamily | HistogramMetricFamily] = {}
    for meter, labels, values in _readable(counts):
        if meter.kind is Kind.COUNTER:
            counter = CounterMetricFamily(meter.name, meter.says, labels=meter.labels)
            family = shown.setdefault(meter.name, counter)
            if isinstance(family, CounterMetricFamily):
                family.add_metric(labels, values[0])
        else:
            histogram = HistogramMetricFamily(meter.name, meter.says, labels=meter.labels)
            family = shown.setdefault(meter.name, histogram)
            if isinstance(family, HistogramMetricFamily):
                family.add_metric(labels, _cumulative(meter, values), values[0])
    yield from shown.values()


def _gauged(gauges: Gauges) -> Iterator[Metric]:
    for name, values in gauges.items():
        meter = METERS[name]
        family = GaugeMetricFamily(meter.name, meter.says, labels=meter.labels)
        for labels, value in values.items():
            family.add_metric(labels, value)
        yield family


def _cumulative(meter: Meter, values: Values) -> list[tuple[str, float]]:
    total, buckets = 0.0, []
    for most, count in zip((*meter.buckets, float("inf")), values[1:], strict=True):
        total += count
        buckets.append(("+Inf" if most == float("inf") else repr(most), total))
    return buckets


def _counts(values: Mapping[tuple[str, Labels], Values]) -> Counts:
    counts: Counts = {}
    for (name, labels), numbers in values.items():
        counts.setdefault(name, []).append((list(labels), list(numbers)))
    return counts


def _readable(counts: Counts) -> Iterator[tuple[Meter, Labels, Values]]:
    for name, rows in counts.items():
        meter = METERS.get(name)
        for labels, values in rows:
            # A gauge is kept beside the counts by its engine alone, and no sum of several means anything.
            if meter is None or meter.kind is Kind.GAUGE:
                continue
            if len(labels) == len(meter.labels) and len(values) == _width(meter):
                yield meter, tuple(labels), values


def _width(meter: Meter) -> int:
    return 1 if meter.kind is Kind.COUNTER else len(meter.buckets) + 2
