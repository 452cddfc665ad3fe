import asyncio
import ssl
from dataclasses import dataclass, field

import pytest
import trustme


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self):
        return self.line.split(" ")[1]


@dataclass
class Origin:
    """A server on 127.0.0.1 that answers by a coroutine of the test, and remembers what it was asked."""

    port: int
    scheme: str = "http"
    connections: int = 0
    requests: list[Request] = field(default_factory=list)

    def url(self, path="/", host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}{path}"


async def read_request(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value for name, value in (row.split(": ", 1) for row in rest)}
    return Request(line, headers, await reader.readexactly(int(headers.get("content-length", 0))))


async def serve(answer, tls=None, *, greet=True):
    """Start an origin; `answer(request, writer)` writes raw bytes, and says "close" to hang up."""
    origin = Origin(0, "https" if tls else "http")

    async def connected(reader, writer):
        origin.connections += 1
        try:
            while greet:
                request = await read_request(reader)
                origin.requests.append(request)
                if await answer(request, writer) == "close":
                    break
            if not greet:
                await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    origin.port = server.sockets[0].getsockname()[1]
    return origin, server


@pytest.fixture
async def origin():
    """Start origins that end with the test."""
    servers = []

    async def start(answer, tls=None, *, greet=True):
        started, server = await serve(answer, tls, greet=greet)
        servers.append(server)
        return started

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority):
    """The server's side of TLS for shop.example.com and 127.0.0.1, by an authority that nobody trusts."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("shop.example.com", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def client_tls(authority):
    """The client's side, which trusts that authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def reply(body=b"", status=200, **headers):
    """Write a whole reply as bytes; underscores in the names of headers become hyphens."""
    rows = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} Some Reason", f"content-length: {len(body)}", *rows])
    return head.encode("latin-1") + b"\r\n\r\n" + body


@pytest.fixture(scope="session")
def say():
    return reply


@pytest.fixture(scope="session")
def answer_with():
    """Give an answer that says the same to every request."""

    def make(*arguments, **headers):
        async def answer(_, writer):
            writer.write(reply(*arguments, **headers))

        return answer

    return make


@pytest.fixture(scope="session", name="serve")
def serve_fixture():
    """Start an origin on whatever loop runs; give it and its server, which the test closes."""
    return serve
