import av
import numpy as np

from filmgate.animatic.encode import RATE, Film, write_film
from filmgate.animatic.planes import blank_frame

SIZE = 128


def tone(seconds, start_s):
    t = start_s + np.arange(round(seconds * RATE)) / RATE
    return np.stack([0.4 * np.sin(2 * np.pi * 330 * t)] * 2).astype(np.float32)


def write(path, frames, start=0.0):
    scratch = (np.zeros(SIZE * SIZE, np.uint8), np.zeros(SIZE * SIZE, np.uint8))
    film = Film(path, SIZE, SIZE, frames, start, {"seed": 1}, tone)
    write_film(film, (blank_frame(SIZE, SIZE, scratch) for _ in range(frames)))


def packets(path, kind):
    with av.open(str(path)) as film:
        stream = film.streams.video[0] if kind == "video" else film.streams.audio[0]
        return [(packet.pts, packet.duration, bytes(packet)) for packet in film.demux(stream) if packet.size]


def test_sound_ends_with_the_picture_although_its_blocks_do_not(tmp_path):
    path = tmp_path / "film.mp4"
    write(path, 36)
    sound = packets(path, "audio")
    assert sound[0][0] == -1024
    assert sound[-1][0] + sound[-1][1] == 36 * 2000


def test_two_films_in_a_row_sound_as_one(tmp_path):
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    # 64 frames are 125 blocks exactly: only there can sound be cut without encoding it again.
    write(first, 64)
    write(second, 64, start=64 / 24)
    later = [(pts + 64 * 2000, body) for pts, _, body in packets(second, "audio") if pts >= 0]
    decoder = av.CodecContext.create("aac", "r")
    with av.open(str(first)) as film:
        decoder.extradata = film.streams.audio[0].codec_context.extradata
    waves = []
    for pts, body in [*((pts, body) for pts, _, body in packets(first, "audio")), *later]:
        packet = av.Packet(body)
        packet.pts = pts
        waves += [block.to_ndarray() for block in decoder.decode(packet)]
    # The decoder's first block is the run-up of the encoder.
    heard = np.concatenate(waves, axis=1)[:, 1024:]
    wanted = tone(128 / 24, 0.0)[:, : heard.shape[1]]
    error = np.abs(heard[:, : wanted.shape[1]] - wanted).max(axis=0)
    join = 64 * 2000
    assert error[join - 2048 : join + 2048].max() < 0.02


def test_films_of_one_size_share_their_parameter_sets(tmp_path):
    paths = [tmp_path / "one.mp4", tmp_path / "two.mp4"]
    write(paths[0], 12)
    write(paths[1], 30, start=2.0)
    found = []
    for path in paths:
        with av.open(str(path)) as film:
            found.append(film.streams.video[0].codec_context.extradata)
    assert found[0] == found[1]


def test_a_failure_while_drawing_leaves_nothing_behind(tmp_path):
    path = tmp_path / "film.mp4"

    def frames():
        scratch = (np.zeros(SIZE * SIZE, np.uint8), np.zeros(SIZE * SIZE, np.uint8))
        yield blank_frame(SIZE, SIZE, scratch)
        raise ZeroDivisionError

    try:
        write_film(Film(path, SIZE, SIZE, 5, 0.0, {}, tone), frames())
    except ZeroDivisionError:
        assert list(tmp_path.iterdir()) == []
    else:
        raise AssertionError
