"""Why the guard refused an address: one exception, with two texts."""


class Denied(Exception):  # noqa: N818  # it says what was decided, not that something broke
    """The guard refused. `str()` may be shown to a client; `operator` says which rule refused, and what."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__("URL is not allowed")
        self.rule = rule
        self.reason = reason

    @property
    def operator(self) -> str:
        return f"{self.rule}: {self.reason}"
