"""The documents say what the code does."""

import re
import runpy
from pathlib import Path
from typing import cast

import pytest

from filmgate.dialects import DIALECTS
from filmgate.domain.problems import RETRYABLE, WORDINGS
from filmgate.providers import KINDS
from filmgate.settings import Settings
from filmgate.telemetry import Telemetry
from filmgate.web.app import own_api
from filmgate.web.surroundings import Surroundings

ROOT = Path(__file__).parents[2]


def test_the_page_of_errors_has_each_code_with_its_status_exit_code_both_texts_and_whether_to_retry() -> None:
    text = (ROOT / "docs/errors.md").read_text("utf-8")
    rows = dict(re.findall(r'^\| <a id="(?P<code>\w+)"></a>`(?P=code)` (\|.*\|)$', text, re.MULTILINE))
    assert rows == {
        code: f"| {wording.status} | {wording.exit_code} | {'yes' if code in RETRYABLE else 'no'} "
        f"| {wording.en} | {wording.zh} |"
        for code, wording in WORDINGS.items()
    }


def test_the_page_of_settings_names_each_setting_and_no_other() -> None:
    text = (ROOT / "docs/settings.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(Settings.model_fields)


@pytest.mark.parametrize("name", [*(dialect.NAME for dialect in DIALECTS), *KINDS])
def test_the_readme_names_what_is_there(name: str) -> None:
    assert name in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    "name", ["README.md", "docs/architecture.md", "CONTRIBUTING.md", "docs/decisions/README.md"]
)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        assert link.startswith("http") or (page.parent / link).exists(), link


def test_every_decision_says_what_would_make_us_think_again_or_why() -> None:
    for page in (ROOT / "docs/decisions").glob("0*.md"):
        assert "**Why.**" in page.read_text("utf-8"), page.name


def test_the_page_of_routes_is_the_openapi_file() -> None:
    text = (ROOT / "docs/http.md").read_text("utf-8")
    written = set(re.findall(r"^\| `(\w+) (/\S+)` \|", text, re.MULTILINE))
    around = cast("Surroundings", None)  # its routes are only looked at, never called
    described = own_api(around, frozenset(), Telemetry([], [])).openapi()["paths"]
    served = {(method.upper(), path) for path, methods in described.items() for method in methods}
    assert written == served
    assert all(route.get("description") for methods in described.values() for route in methods.values())


def test_the_page_of_the_command_line_is_the_programs_own_help() -> None:
    written = runpy.run_path(str(ROOT / "tools/write_cli.py"))["page"]()
    assert (ROOT / "docs/cli.md").read_text("utf-8") == written
