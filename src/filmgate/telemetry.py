"""Logs and metrics. Labels are bounded, and no prompt, secret, link or body is ever in either."""

import logging
import re
import sys
from collections.abc import Collection, MutableMapping
from contextlib import suppress
from typing import Any, Final

import structlog

from filmgate.domain.counted import NOBODY, TaskEnded
from filmgate.domain.limits import LOG_TEXT_BYTES
from filmgate.metrics import Tally

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
_DONE: Final = "succeeded"


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
        self._providers = frozenset({*providers, NOBODY})
        self.tally = Tally()

    def event(self, event: str, **fields: object) -> None:
        """Log one dotted verb; an `error` is logged with its trace, which no client ever sees."""
        error = fields.pop("error", None)
        # A log that cannot be written, on a full disk say, stops no film.
        with suppress(OSError):
            if isinstance(error, BaseException):
                self._log.error(event, exc_info=error, **fields)
            else:
                self._log.info(event, **fields)

    def accepted(self, dialect: str, model: str, provider: str, held_micros: int) -> None:
        """Count a task that was accepted; `provider` is who would be asked first."""
        self.tally.count("filmgate_tasks_accepted", dialect, self._model(model))
        held = self._model(model), self._provider(provider)
        self.tally.count("filmgate_money_held_micros", *held, by=held_micros)

    def task_ended(self, ended: TaskEnded) -> None:
        model, provider = self._model(ended.model), self._provider(ended.provider)
        tally = self.tally
        tally.count("filmgate_tasks_finished", model, provider, ended.outcome, ended.reason)
        tally.observe("filmgate_task_wait_duration_seconds", model, value=max(ended.waited_s, 0))
        if ended.ran_s is not None:
            tally.observe("filmgate_task_run_duration_seconds", model, provider, value=max(ended.ran_s, 0))
        tally.count("filmgate_money_captured_micros", model, provider, by=ended.cost_micros)
        tally.count(
            "filmgate_money_released_micros", model, provider, by=ended.held_micros - ended.cost_micros
        )
        if ended.covered is not None:
            tally.count("filmgate_eta_covered", model, str(ended.covered).lower())
        if ended.outcome == _DONE and ended.held_micros:
            difference = abs(ended.held_micros - ended.cost_micros) / ended.held_micros
            tally.observe("filmgate_quote_difference_ratio", model, value=difference)

    def asked(self, provider: str, operation: str, result: str, seconds: float) -> None:
        labels = self._provider(provider), operation, result
        self.tally.observe("filmgate_provider_request_duration_seconds", *labels, value=seconds)

    def attempted(self, provider: str, outcome: str, cost_micros: int) -> None:
        """Count an attempt that is over, and what its provider takes for it."""
        self.tally.count("filmgate_attempts", self._provider(provider), outcome)
        self.tally.count("filmgate_money_cost_micros", self._provider(provider), by=cost_micros)

    def polled_late(self, provider: str, seconds: float) -> None:
        self.tally.observe("filmgate_poll_lag_seconds", self._provider(provider), value=max(seconds, 0))

    def told(self, outcome: str, seconds: float) -> None:
        """Count a try to deliver an event."""
        self.tally.count("filmgate_webhook_deliveries", outcome)
        self.shipped("webhook", outcome, seconds)

    def shipped(self, destination: str, outcome: str, seconds: float) -> None:
        """Measure a try to deliver something; a destination is `webhook`, or the name of a configured bucket."""
        self.tally.observe("filmgate_delivery_duration_seconds", destination, outcome, value=seconds)

    def store_failed(self, trouble: str) -> None:
        self.tally.count("filmgate_storage_failures", trouble)

    def swept(self, kind: str, count: int) -> None:
        self.tally.count("filmgate_storage_swept", kind, by=count)

    def noticed(self, kind: str) -> None:
        self.tally.count("filmgate_notices", kind)

    def outage(self) -> None:
        """Count a question that the database did not answer."""
        self.tally.count("filmgate_store_outages")

    def answered(self, route: str, method: str, status: int, dialect: str, seconds: float) -> None:
        named = method if method in _METHODS else "other"
        labels = route, named, str(status), dialect
        self.tally.observe("http_server_request_duration_seconds", *labels, value=seconds)

    def _model(self, model: str) -> str:
        return model if model in self._models else "other"

    def _provider(self, provider: str) -> str:
        return provider if provider in self._providers else "other"
