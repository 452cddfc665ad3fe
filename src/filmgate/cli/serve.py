"""`filmgate serve`: the flags, and what an operator is told; the gate itself is not the command line's."""

import threading
import time
import unicodedata
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter

from filmgate.cli.address import Address
from filmgate.cli.client import Gate
from filmgate.cli.errors import CliError, trouble
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.text import Text
from filmgate.cli.verb import verb
from filmgate.domain.clock import Clock
from filmgate.world import SystemClock

if TYPE_CHECKING:
    # A gate takes long to import; a wrong flag shall be said at once.
    from filmgate.supervisor import Welcome

_READY_S: Final = 60.0
_ASK_S: Final = 2.0
_ASK_EVERY_S: Final = 0.1
_TITLE_WIDTH: Final = 34
_COMMANDS: Final = (
    'filmgate generate "a paper boat on a rainy street / 雨巷里的纸船"',
    "filmgate tasks list",
    "filmgate keys create my-app",
)
_STARTING: Final = Text("Starting the gate; Ctrl-C stops it.", "正在启动网关，Ctrl-C 停止。")
_STOPPED: Final = Text("Stopped.", "已停止。")
_READY: Final = Text(
    "Ready in {seconds} s. Next, in another terminal:", "{seconds} 秒就绪。下一步，在另一个终端："
)
_NOT_YET: Final = Text(
    "Not ready after {seconds} s: `filmgate doctor` says what is missing. Once it is:",
    "{seconds} 秒后仍未就绪，`filmgate doctor` 会指出原因。就绪后：",
)
_ADMIN: Final = Text("admin key", "管理员密钥")
_PAGE: Final = Text("page (opens once, within 10 min)", "页面（10 分钟内有效，仅一次）")
_DATA: Final = Text("data", "数据目录")
_DATABASE: Final = Text("database", "数据库")
_SANDBOX: Final = Text(
    "No provider is configured: films are drawn by the gate itself, free, and say so.",
    "未配置上游：视频由网关自带引擎绘制，免费，并会注明。",
)


def serve(
    *,
    host: Annotated[str | None, Parameter(help="Where to listen; else 127.0.0.1.")] = None,
    port: Annotated[int | None, Parameter(help="Else 8080; 0 takes a free one.")] = None,
    data: Annotated[
        Path | None, Parameter(help="The data folder; else FILMGATE_DATA, else this user's own.")
    ] = None,
    web_workers: Annotated[int | None, Parameter(help="Web processes; else 1.")] = None,
    worker: Annotated[
        bool | None, Parameter(negative="--no-worker", help="Without the engine: web only.")
    ] = None,
    open_browser: Annotated[
        bool, Parameter(name="--open", negative="", help="Open the pages in a browser.")
    ] = False,
    config: Annotated[
        Path | None, Parameter(help="The settings file; else FILMGATE_CONFIG, else ./filmgate.toml.")
    ] = None,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Start a gate: server, engine and database; nothing else needs to be installed."""
    from filmgate.settings import BadSettingsError, Settings  # noqa: PLC0415  # slow to import
    from filmgate.supervisor import CannotServeError  # noqa: PLC0415  # slow to import
    from filmgate.supervisor import serve as run_gate  # noqa: PLC0415  # slow to import

    output = manner.output
    given = {"host": host, "port": port, "data": data, "web_workers": web_workers, "worker": worker}
    flags: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if data is not None:
        flags["data"] = data.expanduser()
    clock = SystemClock()
    began = clock.monotonic()

    def greet(welcome: "Welcome") -> None:
        greeting = Greeting(output, welcome, clock, began, open_browser=open_browser)
        threading.Thread(target=greeting.when_ready, name="greeting", daemon=True).start()

    try:
        settings = Settings.load(flags, config)
        output.note(output.say(_STARTING), "dim")
        code = run_gate(settings, flags, config, output.note, greet)
    except BadSettingsError as error:
        raise trouble("bad_settings", reason=str(error)) from None
    except CannotServeError as error:
        raise trouble("cannot_serve", reason=str(error)) from None
    output.note("\n" + output.say(_STOPPED), "dim")
    return code


class Greeting:
    """What an operator is told, once the gate can do its work."""

    def __init__(
        self, output: Output, welcome: "Welcome", clock: Clock, began: float, *, open_browser: bool
    ) -> None:
        self._output = output
        self._welcome = welcome
        self._clock = clock
        self._began = began
        self._open_browser = open_browser

    def when_ready(self) -> None:
        ready = self._wait()
        took_s = self._clock.monotonic() - self._began
        if self._output.form is Form.JSON:
            self._output.document(self._document())
        else:
            for line, style in self._lines(ready=ready, took_s=took_s):
                self._output.note(line, style)
        if ready and self._open_browser:
            webbrowser.open(self._welcome.signin_url)

    def _wait(self) -> bool:
        welcome = self._welcome
        address = Address(welcome.base_url, None, "", welcome.data, own_machine=True)
        gate = Gate(address, self._output.language, lambda _: None)
        while self._clock.monotonic() - self._began < _READY_S:
            try:
                gate.ask("GET", "/readyz", timeout_s=_ASK_S)
            except CliError:
                time.sleep(_ASK_EVERY_S)
            else:
                return True
        return False

    def _document(self) -> Json:
        welcome = self._welcome
        return {
            "base_url": welcome.base_url,
            "signin_url": welcome.signin_url,
            "data": str(welcome.data),
            "admin_key": welcome.admin_key,
            "version": welcome.version,
        }

    def _lines(self, *, ready: bool, took_s: float) -> Iterator[tuple[str, str]]:
        output, welcome = self._output, self._welcome
        yield "", ""
        yield f"  Filmgate {welcome.version}   {welcome.base_url}", "bold cyan"
        yield "", ""
        facts = [(_PAGE, welcome.signin_url), (_DATA, str(welcome.data)), (_DATABASE, welcome.database)]
        facts += [(_ADMIN, welcome.admin_key)] if welcome.admin_key else []
        for title, value in facts:
            yield f"  {_padded(output.say(title), _TITLE_WIDTH)}{value}", ""
        if welcome.sandbox:
            yield "", ""
            yield f"  {output.say(_SANDBOX)}", "dim"
        yield "", ""
        yield (
            f"  {output.say(_READY if ready else _NOT_YET, seconds=f'{took_s:.1f}')}",
            "green" if ready else "yellow",
        )
        yield "", ""
        for line in _COMMANDS:
            yield f"    {line}", ""
        yield "", ""


def _padded(text: str, width: int) -> str:
    """Pad to a width in cells, of which a Chinese letter has two."""
    cells = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
    return text + " " * max(1, width - cells)


app = verb(
    "serve",
    serve,
    ("filmgate serve --open", "filmgate serve --port 9000 --data ./gate", "filmgate serve --host 0.0.0.0"),
)
