"""A receiver of webhooks as a program: it writes down what came before it answers, and answers as its dice say.

`python -m chaos.receiver PORT LOG SEED`
"""

import asyncio
import base64
import json
import random
import sys
import time
from pathlib import Path

from aiohttp import web

REFUSED = 0.1
SILENT = 0.05


async def serve(port: int, log: Path, dice: random.Random) -> None:
    async def receive(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        lot = dice.random()
        status = None if lot < SILENT else 500 if lot < SILENT + REFUSED else 200
        came = {
            "at": time.time(),
            "path": request.path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": base64.b64encode(body).decode(),
            "status": status,
        }
        with log.open("a") as lines:
            lines.write(json.dumps(came) + "\n")
        if status is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=status)

    application = web.Application()
    application.router.add_post("/{path:.*}", receive)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]), random.Random(sys.argv[3])))
