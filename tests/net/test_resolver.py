import asyncio
import time

import pytest

from filmgate.net import resolver as module
from filmgate.net.resolver import SystemResolver


@pytest.fixture
def system():
    system = SystemResolver()
    yield system
    system.close()


async def test_the_machine_knows_itself(system):
    assert set(await system("localhost")) <= {"127.0.0.1", "::1"}
    assert list(await system("127.0.0.1")) == ["127.0.0.1"]


async def test_a_name_that_is_none_is_an_error(system):
    with pytest.raises((OSError, UnicodeError)):
        await system("a..b")


async def test_look_ups_that_hang_do_not_use_up_the_threads_of_the_rest(system, monkeypatch):
    def hang(host):
        time.sleep(0.3)
        return ["9.9.9.9"]

    monkeypatch.setattr(module, "_look_up", hang)
    hanging = [asyncio.ensure_future(system("slow.shop.com")) for _ in range(40)]
    await asyncio.sleep(0)

    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 0.2) == "free"
    assert await asyncio.gather(*hanging) == [["9.9.9.9"]] * 40
