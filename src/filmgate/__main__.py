"""The program `filmgate`, also as `python -m filmgate`."""

import sys


def main() -> None:
    # The gate's child processes import this module too, and must not pay for the command line.
    from filmgate.cli.program import run  # noqa: PLC0415  # see above

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
