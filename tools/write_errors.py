"""Write docs/errors.md from the catalogue; a test holds the page against it."""

from pathlib import Path

from filmgate.domain.problems import RETRYABLE, WORDINGS

HEAD = """# Errors

One catalogue serves the gate's own API, the command line, and every dialect (which puts a problem into its own form
and code). `status` is the HTTP status of `/gate/v1`; `exit` is the exit code of a verb that meets it; `retryable`
says whether the same request may succeed later. `{words}` are filled in.

| code | status | exit | retryable | English | 中文 |
|---|---|---|---|---|---|
"""


def main() -> None:
    rows = [
        f'| <a id="{code}"></a>`{code}` | {wording.status} | {wording.exit_code} | '
        f"{'yes' if code in RETRYABLE else 'no'} | {wording.en} | {wording.zh} |"
        for code, wording in WORDINGS.items()
    ]
    page = Path(__file__).parents[1] / "docs" / "errors.md"
    page.write_text(HEAD + "\n".join(rows) + "\n", "utf-8")


if __name__ == "__main__":
    main()
