"""One JSON object on stdin, JSON lines on stdout; exit code 0 finished, 1 failed, 2 bad spec."""

import json
import sys

from filmgate.animatic.spec import BadPictureError, BadSpecError, parse_spec


def main() -> int:
    try:
        spec = parse_spec(sys.stdin.buffer.read().decode("utf-8", errors="replace"))
    except BadSpecError as error:
        return _failed("bad_spec", str(error), 2)
    try:
        # The drawing libraries load only for a spec that can be drawn.
        from filmgate.animatic.film import make_film  # noqa: PLC0415  see above

        seed = make_film(spec, _progress)
    except BadPictureError as error:
        return _failed("bad_picture", str(error), 1)
    except Exception as error:  # noqa: BLE001  the program's promise is a line for every outcome
        return _failed("engine_error", f"{type(error).__name__}: {error}", 1)
    _say(
        {
            "event": "finished",
            "path": str(spec.out),
            "frames": spec.frames,
            "seconds": spec.seconds,
            "seed": seed,
        }
    )
    return 0


def _progress(done: int, total: int) -> None:
    _say({"event": "progress", "done": done, "total": total})


def _failed(code: str, message: str, status: int) -> int:
    _say({"event": "failed", "code": code, "message": message})
    return status


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
