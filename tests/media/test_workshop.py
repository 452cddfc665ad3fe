import asyncio
import json
import os
import signal
import sys
import textwrap
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import av
import psutil
import pytest
from PIL import Image

from filmgate.media.child import (
    ChildFailedError,
    ChildKilledError,
    ChildLimits,
    ChildProtocolError,
    ChildTimeoutError,
    run,
)
from filmgate.media.findings import BadPicture, NotAFilm, PictureLimits, TruncatedFilm
from filmgate.media.inspection import inspect
from filmgate.media.messages import Message
from filmgate.media.pictures import check_picture
from filmgate.media.workshop import CHECKING, INSPECTING, Workshop
from kit.families import Family

MIB = 1024 * 1024
# A busy machine is no reason to fail.
PATIENT = replace(CHECKING, wall_s=60)


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


async def test_a_film_is_inspected_in_a_child_as_it_would_be_here(workshop, films):
    assert await workshop.inspect(films.whole) == inspect(films.whole)


async def test_a_truncated_film_is_refused_with_its_reason(workshop, films, tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(films.whole.read_bytes()[:9000])
    with pytest.raises(TruncatedFilm, match="it ends at byte 9000"):
        await workshop.inspect(film)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (
            b'{"url": "https://cdn.example/film.mp4"}',
            'it is text: \'{"url": "https://cdn.example/film.mp4"}\'',
        ),
        (b"<html>Not Found</html>", "it is text: '<html>Not Found</html>'"),
    ],
)
async def test_what_is_no_film_is_refused_with_its_reason(workshop, tmp_path, content, reason):
    film = tmp_path / "film.mp4"
    film.write_bytes(content)
    with pytest.raises(NotAFilm) as refused:
        await workshop.inspect(film)
    assert (type(refused.value), refused.value.reason) == (NotAFilm, reason)


async def test_a_film_that_needs_too_much_memory_is_refused(workshop, tmp_path):
    film = tmp_path / "large.mp4"
    with av.open(str(film), "w") as container:
        picture = container.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = 8192, 4320, "yuv420p"
        container.mux(picture.encode(av.VideoFrame(8192, 4320, "yuv420p")))
        container.mux(picture.encode())
    with pytest.raises(NotAFilm):
        await workshop.inspect(film, replace(INSPECTING, memory_bytes=180 * MIB))
    assert (await workshop.inspect(film)).facts.width == 8192


async def test_a_film_that_takes_too_long_says_nothing_about_the_film(workshop, films):
    with pytest.raises(ChildTimeoutError):
        await workshop.inspect(films.whole, replace(INSPECTING, wall_s=0.01))


async def test_a_film_is_copied_to_start_fast_only_where_it_does_not(workshop, films, tmp_path):
    into = tmp_path / "fast.mp4"
    assert await workshop.faststart(films.whole, into) is False
    assert not into.exists()
    assert await workshop.faststart(films.moov_last, into) is True
    assert (await workshop.inspect(into)).facts.faststart is True


async def test_a_copy_cannot_fill_the_disk(workshop, films, tmp_path):
    from filmgate.media import workshop as here

    spare, here.COPY_SPARE_BYTES = here.COPY_SPARE_BYTES, -10_000  # type: ignore[misc]  # A smaller one for a test.
    try:
        with pytest.raises(ChildFailedError, match="File too large"):
            await workshop.faststart(films.moov_last, tmp_path / "fast.mp4")
    finally:
        here.COPY_SPARE_BYTES = spare  # type: ignore[misc]  # As above.
    assert (tmp_path / "fast.mp4").stat().st_size <= films.moov_last.stat().st_size - 10_000


async def test_a_picture_is_checked_in_a_child_as_it_would_be_here(workshop, encode):
    for data, keep_alpha in (
        (encode("JPEG"), False),
        (encode("PNG", mode="RGBA"), True),
        (encode("WEBP"), False),
    ):
        assert await workshop.check_picture(data, keep_alpha=keep_alpha) == check_picture(
            data, keep_alpha=keep_alpha
        )


async def test_a_bad_picture_is_refused_with_code_and_reason(workshop, animate):
    with pytest.raises(BadPicture) as refused:
        await workshop.check_picture(animate("GIF"))
    assert (refused.value.code, refused.value.reason) == (
        "unsupported_type",
        "it is a GIF; send a JPEG, PNG or WebP file",
    )


async def test_the_limits_of_a_caller_hold_in_the_child(workshop, encode):
    with pytest.raises(BadPicture) as refused:
        await workshop.check_picture(encode("PNG", (40, 20)), PictureLimits(pixels=799))
    assert refused.value.code == "too_many_pixels"


async def test_a_picture_that_needs_too_much_memory_is_refused(workshop, promise):
    bomb = promise(4000, 4000, bytes(4000 * 12001))
    with pytest.raises(BadPicture) as refused:
        await workshop.check_picture(bomb, child=replace(PATIENT, memory_bytes=128 * MIB))
    assert refused.value.code == "too_large"
    assert refused.value.reason == "decoding it takes too much: more than 128 MiB of memory"
    assert (await workshop.check_picture(bomb, child=PATIENT)).width == 4000


async def test_a_picture_that_takes_too_long_says_nothing_about_the_picture(workshop, encode):
    with pytest.raises(ChildTimeoutError):
        await workshop.check_picture(encode("PNG"), child=replace(CHECKING, wall_s=0.01))


async def test_a_decoder_that_spins_is_stopped_and_its_picture_refused(workshop, broken_decoder):
    broken_decoder("while True: pass")
    with pytest.raises(BadPicture) as refused:
        await workshop.check_picture(b"", child=replace(PATIENT, cpu_s=1))
    assert (refused.value.code, refused.value.reason) == (
        "too_large",
        "decoding it takes too much: SIGXCPU after at most 1 s of CPU",
    )


async def test_a_decoder_that_crashes_hurts_its_own_picture_only(workshop, broken_decoder):
    broken_decoder("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(BadPicture, match="SIGSEGV"):
        await workshop.check_picture(b"")


async def test_a_child_killed_from_outside_says_nothing_about_its_picture(workshop, broken_decoder):
    broken_decoder("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(ChildKilledError):
        await workshop.check_picture(b"")


async def test_a_decoder_that_was_taken_over_cannot_make_up_answers(workshop, broken_decoder):
    for answer in (
        '{"found": "nothing"}',
        '{"found": "picture", "width": "x", "height": 1, "media_type": "text/html"}',
    ):
        broken_decoder(f"print({answer!r})")
        with pytest.raises(ChildProtocolError, match="the answer picture is"):
            await workshop.check_picture(b"")


@pytest.fixture
def broken_decoder(tmp_path, monkeypatch):
    """Put a program of ours in the place of the picture worker."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    monkeypatch.setattr("filmgate.media.workshop.PICTURE_WORKER", "broken_decoder")
    return (tmp_path / "broken_decoder.py").write_text


@pytest.mark.skipif(
    Path("/proc/self/uid_map").read_text().split()[2] == "1",
    reason="the root of a namespace with one user is bound by no limit on processes, and there is no nobody",
)
async def test_a_worker_is_nobody_who_can_start_nothing_and_dies_with_the_gate(tmp_path, broken_decoder):
    secret = tmp_path / "secret"
    secret.touch(0o600)
    broken_decoder(
        textwrap.dedent(f"""
        import ctypes, json, os, threading
        from filmgate.media.worker import become_nobody
        root = os.getuid() == 0
        become_nobody()
        def denied(attempt):
            try:
                attempt()
            except (OSError, RuntimeError) as error:
                return True
            return False
        death = ctypes.c_int()
        ctypes.CDLL(None).prctl(2, ctypes.byref(death))
        print(json.dumps({{
            "still_root": 0 in os.getresuid() + os.getresgid() + tuple(os.getgroups()),
            "reads": not root or denied(lambda: open({str(secret)!r})),
            "forks": denied(os.fork), "threads": denied(threading.Thread(target=print).start),
            "death": death.value,
        }}))
    """)
    )
    said: list[Message] = []
    await run("broken_decoder", limits=CHECKING, on_message=said.append)
    assert said[0].value == {
        "still_root": False,
        "reads": True,
        "forks": True,
        "threads": True,
        "death": signal.SIGKILL,
    }


async def test_nothing_is_loaded_after_becoming_nobody(
    broken_decoder, films, encode, animate, promise, tmp_path
):
    """A nobody who cannot read the libraries would fail there, on some machines and for some files."""
    exif = Image.Exif()
    exif[0x0112] = 6
    multi = BytesIO()
    Image.new("RGB", (40, 20)).save(multi, "MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    kinds = [
        encode("JPEG", exif=exif), encode("JPEG", mode="CMYK"), multi.getvalue(), encode("PNG", mode="P"),
        encode("PNG", mode="RGBA", exif=exif), encode("WEBP", exif=exif, icc_profile=b"broken"),
        animate("PNG"), animate("WEBP"), animate("GIF"), promise(9000, 9000), encode("PNG")[:200], encode("JPEG")[:300],
    ]  # fmt: skip
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(films.whole.read_bytes()[:-5000])
    hexes = [kind.hex() for kind in kinds]
    broken_decoder(
        textwrap.dedent(f"""
        import json, os, sys
        from pathlib import Path
        import filmgate.media.film_worker, filmgate.media.picture_worker
        from filmgate.media.inspection import inspect
        from filmgate.media.pictures import check_picture
        from filmgate.media.worker import become_nobody
        films = [open(path, "rb") for path in {[str(films.whole), str(films.fragmented), str(broken)]!r}]
        job = json.loads(sys.stdin.readline())
        become_nobody()
        before = set(sys.modules)
        for film in films:
            try: inspect(film)
            except Exception as error: assert "Film" in type(error).__name__, error
        for picture in job:
            for keep_alpha in (False, True):
                try: check_picture(bytes.fromhex(picture), keep_alpha=keep_alpha)
                except Exception as error: assert type(error).__name__ == "BadPicture", repr(error)
        print(json.dumps({{"loaded": sorted(set(sys.modules) - before)}}))
    """)
    )
    said: list[Message] = []
    job = json.dumps(hexes).encode()
    await run("broken_decoder", limits=INSPECTING, stdin=[job], on_message=said.append)
    assert said[0].value == {"loaded": []}


async def test_no_more_children_run_at_once_than_were_allowed(encode):
    workshop, data, most, family = Workshop(pictures_at_once=2), encode("PNG"), 0, Family()
    jobs = asyncio.gather(*(workshop.check_picture(data) for _ in range(5)))
    while not jobs.done():
        most = max(most, len(family.new()))
        await asyncio.wait([jobs], timeout=0.005)
    assert len(await jobs) == 5
    assert most == 2


async def test_the_memory_of_the_gate_stays_flat(workshop, encode):
    data = encode("PNG", (1600, 1600), compress_level=0)
    assert len(data) > 6 * MIB
    await workshop.check_picture(data)
    before = psutil.Process().memory_info().rss
    for _ in range(4):
        await workshop.check_picture(data)
    assert psutil.Process().memory_info().rss - before < 24 * MIB


async def test_cancelling_an_inspection_ends_its_child(workshop, films):
    family = Family()
    running = asyncio.ensure_future(workshop.inspect(films.whole))
    while not family.new():
        await asyncio.wait([running], timeout=0.001)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert family.new() == []


def test_the_workshop_loads_no_decoder_into_the_gate():
    import subprocess

    lines = "import sys, filmgate.media.workshop; print({'av', 'PIL', 'numpy'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", lines], capture_output=True, check=True, text=True)
    assert told.stdout == "set()\n"


async def test_limits_of_children_are_those_that_were_promised():
    assert ChildLimits(
        wall_s=10, cpu_s=5, memory_bytes=768 * MIB, file_bytes=64 * MIB, open_files=16, processes=0
    ) == CHECKING  # fmt: skip
    assert (INSPECTING.memory_bytes, INSPECTING.cpu_s) == (2048 * MIB, 60)
