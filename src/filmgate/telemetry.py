"""Logs and metrics. Labels are bounded, and no prompt, secret, link or body is ever in either."""

import logging
import re
import sys
from collections.abc import Collection, MutableMapping
from contextlib import suppress
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from filmgate.domain.limits import LOG_TEXT_BYTES

_FIELDS: Final = frozenset(
    {
        "event", "level", "ts", "task", "attempt", "key_prefix", "dialect", "provider", "model", "phase", "state",
        "step", "request_id", "duration_ms", "cost_micros", "error_code", "reason", "route", "method", "status",
        "tries", "tasks", "files", "released", "known", "account", "count", "url", "version", "pid", "exception",
        "exc_info", "part", "prompt", "delivery", "endpoint", "host", "destination",
    }
)  # fmt: skip
_SECRETS: Final = re.compile(
    r"(sk-|op-|Bearer )[A-Za-z0-9_\-.]{8,}|/files/\d+\.[A-Za-z0-9_-]+|([?&]key=)[^&\s]+"
)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TASK_SECONDS: Final = (1, 5, 15, 30, 60, 120, 300, 600, 1200, 2400)
_HTTP_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def configure_logs(*, pretty: bool) -> None:
    """Write JSON lines to stderr, or coloured lines where a person looks on."""
    # It remarks on each form that is broken; the client is told, and a log is not the place.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    # It traces each connection that it cannot make again; that the database is away is told once, by the engine.
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)
    shown = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            structlog.processors.format_exc_info,
            redact,
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def redact(_: object, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Let only known fields through, and of those nothing that looks like a secret."""
    return {
        name: _plain(value, tail=name == "exception") for name, value in fields.items() if name in _FIELDS
    }


def _plain(value: object, *, tail: bool = False) -> object:
    """Redact and shorten; of a trace the end is kept, where the error itself stands."""
    if not isinstance(value, str):
        return value if isinstance(value, int | float | bool | None) else _plain(str(value))
    said = _SECRETS.sub("[redacted]", value)
    return said[-LOG_TEXT_BYTES:] if tail else said[:LOG_TEXT_BYTES]


class Telemetry:
    """What the engine and the web tell operators; one for each process."""

    def __init__(self, models: Collection[str], providers: Collection[str]) -> None:
        self._log = structlog.get_logger()
        self._models = frozenset(models)
        self._providers = frozenset(providers)
        registry = CollectorRegistry()
        self.registry = registry
        labels = ["model", "provider", "outcome", "reason"]
        self._accepted = Counter(
            "filmgate_tasks_accepted", "Tasks accepted.", ["dialect", "model"], registry=registry
        )
        self._finished = Counter("filmgate_tasks_finished", "Tasks ended.", labels, registry=registry)
        self._waited = Histogram(
            "filmgate_task_wait_duration_seconds", "From accepting to the start.", ["model"],
            buckets=_TASK_SECONDS, registry=registry,
        )  # fmt: skip
        self._ran = Histogram(
            "filmgate_task_run_duration_seconds", "From the start to the end.", ["model", "provider"],
            buckets=_TASK_SECONDS, registry=registry,
        )  # fmt: skip
        self._told = Counter(
            "filmgate_webhook_deliveries", "Tries to deliver an event.", ["outcome"], registry=registry
        )
        self._shipped = Histogram(
            "filmgate_delivery_duration_seconds", "Tries to deliver a film into a destination.",
            ["destination", "outcome"], buckets=_TASK_SECONDS, registry=registry,
        )  # fmt: skip
        self._store_failures = Counter(
            "filmgate_storage_failures", "Failures of where films are kept.", ["trouble"], registry=registry
        )
        self._store_up = Gauge(
            "filmgate_storage_up", "Whether films can be stored, as far as is known.", registry=registry
        )
        self._swept = Counter(
            "filmgate_storage_swept", "Objects that nothing needed, removed.", ["kind"], registry=registry
        )
        self._asked = Histogram(
            "filmgate_provider_request_duration_seconds", "Requests to providers.",
            ["provider", "operation", "result"], buckets=_HTTP_SECONDS, registry=registry,
        )  # fmt: skip
        self._answered = Histogram(
            "http_server_request_duration_seconds", "Requests that were answered.",
            ["http_route", "method", "status", "dialect"], buckets=_HTTP_SECONDS, registry=registry,
        )  # fmt: skip
        self.heartbeat = Gauge(
            "filmgate_worker_heartbeat_age_seconds",
            "Since the engine last looked for work.",
            registry=registry,
        )

        self._noticed = Counter(
            "filmgate_notices", "What operators should look at.", ["kind"], registry=registry
        )
        self._store_up = Gauge(
            "filmgate_store_up", "Whether the engine gets answers from its database.", registry=registry
        )

    def event(self, event: str, **fields: object) -> None:
        """Log one dotted verb; an `error` is logged with its trace, which no client ever sees."""
        error = fields.pop("error", None)
        # A log that cannot be written, on a full disk say, stops no film.
        with suppress(OSError):
            if isinstance(error, BaseException):
                self._log.error(event, exc_info=error, **fields)
            else:
                self._log.info(event, **fields)

    def accepted(self, dialect: str, model: str) -> None:
        self._accepted.labels(dialect, self._model(model)).inc()

    def task_ended(
        self, model: str, provider: str, outcome: str, reason: str, waited_s: float, ran_s: float
    ) -> None:
        model, provider = self._model(model), self._provider(provider)
        self._finished.labels(model, provider, outcome, reason).inc()
        self._waited.labels(model).observe(max(waited_s, 0))
        self._ran.labels(model, provider).observe(max(ran_s, 0))

    def asked(self, provider: str, operation: str, result: str, seconds: float) -> None:
        self._asked.labels(self._provider(provider), operation, result).observe(seconds)

    def told(self, outcome: str) -> None:
        self._told.labels(outcome).inc()

    def shipped(self, destination: str, outcome: str, seconds: float) -> None:
        self._shipped.labels(destination, outcome).observe(max(seconds, 0))

    def store_failed(self, trouble: str) -> None:
        self._store_failures.labels(trouble).inc()

    def store_well(self, *, well: bool) -> None:
        self._store_up.set(well)

    def swept(self, kind: str, count: int) -> None:
        self._swept.labels(kind).inc(count)

    def answered(self, route: str, method: str, status: int, dialect: str, seconds: float) -> None:
        named = method if method in _METHODS else "other"
        self._answered.labels(route, named, str(status), dialect).observe(seconds)

    def noticed(self, kind: str) -> None:
        self._noticed.labels(kind).inc()

    def store_up(self, *, up: bool) -> None:
        self._store_up.set(int(up))

    def text(self) -> tuple[bytes, str]:
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def _model(self, model: str) -> str:
        return model if model in self._models else "other"

    def _provider(self, provider: str) -> str:
        return provider if provider in self._providers else "other"
