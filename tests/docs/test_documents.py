"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from filmgate.dialects import DIALECTS
from filmgate.domain.problems import WORDINGS
from filmgate.providers import KINDS
from filmgate.settings import Settings

ROOT = Path(__file__).parents[2]


def test_the_page_of_errors_has_each_code_with_its_status_exit_code_and_both_texts() -> None:
    text = (ROOT / "docs/errors.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` (\|.*\|)$", text, re.MULTILINE))
    assert rows == {
        code: f"| {wording.status} | {wording.exit_code} | {wording.en} | {wording.zh} |"
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
