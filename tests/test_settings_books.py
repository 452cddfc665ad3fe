"""Prices, costs and retention as the settings file says them."""

from datetime import date
from pathlib import Path

import pytest

from filmgate.domain.cost import CostRow
from filmgate.domain.price import PriceRow
from filmgate.settings import BadSettingsError, Settings, load_catalogue

PROVIDER = """
[[providers]]
name = "relay"
kind = "openai"
base_url = "https://relay.example.com/v1/"
"""


def loaded(folder: Path, text: str) -> Settings:
    path = folder / "filmgate.toml"
    path.write_text(text)
    return Settings.load({"data": folder}, path)


def test_a_provider_says_what_it_takes(tmp_path: Path) -> None:
    costs = """costs = [
        { models = "veo3*", per_second = { 720p = 0.05 } },
        { since = 2026-07-01, per_clip = 0.30 },
    ]
    """
    [provider] = loaded(tmp_path, PROVIDER + costs).providers
    assert provider.costs == (
        CostRow("veo3*", date(2000, 1, 1), 0, PriceRow("veo3*", date(2000, 1, 1), {720: 50_000}, {})),
        CostRow("*", date(2026, 7, 1), 300_000),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '\n\n[[prices]]\nmodels = "a"\nsince = 2026-01-01\nper_second = { 720p = -1 }\n',
            "line 3: prices.0: `per_second.720p` must be 0 to 100 dollars, not -1",
        ),
        (
            '[[prices]]\nmodels = "a"\nsince = 2026-01-01\nper_second = { 1080P = 1 }\n',
            "line 1: prices.0: there is no resolution `1080P`: `1080p` is the right spelling",
        ),
        (
            2 * '[[prices]]\nmodels = "a"\nsince = 2026-01-01\nper_second = { 720p = 1 }\n',
            "line 5: prices: `a` has another row from 2026-01-01",
        ),
        (PROVIDER + "costs = [{ per_clip = -1 }]", "line 2: providers.0.costs.0: `per_clip` must be"),
        (
            PROVIDER + "costs = [{ per_clip = 1 }, { per_clip = 2 }]",
            "line 2: providers: costs of `relay`: `*` has another row",
        ),
        ("record_days = 30", "record_days: Input should be greater than or equal to 31"),
        ("record_days = 40\nretention_days = 50", "record_days: 40 is less than the 50 retention_days"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadSettingsError) as caught:
        loaded(tmp_path, text)
    assert says in str(caught.value)


def test_a_catalogue_that_cannot_be_meant_is_refused_by_its_name(tmp_path: Path) -> None:
    catalogue = tmp_path / "own.toml"
    catalogue.write_text('[[prices]]\nmodels = "a"\nsince = 2026-01-01\nper_second = { 720p = "x" }\n')
    settings = loaded(tmp_path, f'catalogue = "{catalogue}"')
    with pytest.raises(
        BadSettingsError, match=r"own\.toml: line 1: prices: `per_second\.720p` must be a number"
    ):
        load_catalogue(settings)
