"""The program `filmgate`, also as `python -m filmgate`."""

import io
import sys

_DETACHED = 130


def main() -> None:
    try:
        # The gate's child processes import this module too, and must not pay for the command line.
        from filmgate.cli.program import run  # noqa: PLC0415  # see above

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A pipe gets UTF-8 on every system; a terminal that lacks a letter shows another in its place.
                stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(_DETACHED)


if __name__ == "__main__":
    main()
