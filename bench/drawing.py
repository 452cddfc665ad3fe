"""What a film costs, against the bare encoding of the same frames."""

import json
import resource
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av

_OPTIONS = {
    "preset": "veryfast", "crf": "22", "ref": "1", "me": "dia", "subme": "1", "bframes": "2", "b-adapt": "0",
    "rc-lookahead": "8", "threads": "2",
}  # fmt: skip


def children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def draw(prompt: str, path: Path, seconds: int = 8) -> float:
    """Draw a 720p film; give CPU seconds."""
    spec = {"prompt": prompt, "seed": 7, "width": 1280, "height": 720, "seconds": seconds, "out": str(path)}
    before = children_cpu_s()
    subprocess.run(
        [sys.executable, "-m", "filmgate.animatic"],
        input=json.dumps(spec).encode(),
        check=True,
        capture_output=True,
    )
    return children_cpu_s() - before


def encode_again(path: Path) -> float:
    """Encode the same decoded frames with the same options; give CPU seconds, of the encoder alone."""
    program = "import sys; from pathlib import Path; from bench.drawing import bare_encode; bare_encode(Path(sys.argv[1]))"
    before = children_cpu_s()
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True
    )
    del before
    return float(done.stdout)


def bare_encode(path: Path) -> None:
    """Print the CPU seconds of encoding alone: the frames are decoded before the clock starts."""
    with av.open(str(path)) as film:
        frames = [frame.reformat(format="yuv420p") for frame in film.decode(video=0)]
    with tempfile.NamedTemporaryFile(suffix=".mp4") as out, av.open(out.name, "w") as made:
        stream = made.add_stream("libx264", rate=24, options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
        before = resource.getrusage(resource.RUSAGE_SELF)
        for no, frame in enumerate(frames):
            frame.pts, frame.time_base = no, Fraction(1, 24)
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
        after = resource.getrusage(resource.RUSAGE_SELF)
    print(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
