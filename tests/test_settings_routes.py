"""Providers and routes as the settings file says them."""

from pathlib import Path

import pytest

from filmgate.app import provider_configs
from filmgate.settings import BadSettingsError, Settings

PROVIDER = """
[[providers]]
name = "relay"
kind = "openai"
base_url = "https://relay.example.com/v1/"
credentials = {credentials}
limits = {{ submits_per_minute = 90, in_flight = 7 }}
[[routes]]
model = "veo3*"
via = [{{ provider = "relay", model = "veo", weight = 3, order = 1 }}, {{ provider = "animatic" }}]
"""


def loaded(folder: Path, credentials: str) -> Settings:
    path = folder / "filmgate.toml"
    path.write_text(PROVIDER.format(credentials=credentials))
    return Settings.load({"data": folder}, path)


@pytest.mark.parametrize(
    ("credentials", "names"),
    [('"env:KEY_1"', ["KEY_1"]), ('["env:KEY_1", "env:KEY_2"]', ["KEY_1", "KEY_2"]), ('""', ["default"])],
)
def test_a_provider_has_one_credential_or_several_each_with_its_own_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credentials: str, names: list[str]
) -> None:
    monkeypatch.setenv("KEY_1", "one")
    monkeypatch.setenv("KEY_2", "two")
    configs = [
        config for config in provider_configs(loaded(tmp_path, credentials)) if config.kind == "openai"
    ]
    secrets = {"KEY_1": "one", "KEY_2": "two", "default": ""}
    assert [(c.credential_name, c.credential, c.submits_per_minute, c.in_flight) for c in configs] == [
        (name, secrets[name], 90, 7) for name in names
    ]


def test_a_way_of_a_route_has_a_weight_and_an_order(tmp_path: Path) -> None:
    [route] = loaded(tmp_path, '"env:KEY_1"').routes
    assert [(via.provider, via.model, via.weight, via.order) for via in route.via] == [
        ("relay", "veo", 3, 1),
        ("animatic", None, 1, 0),
    ]


@pytest.mark.parametrize(
    ("credentials", "says"),
    [
        ('["env:KEY_1", "env:KEY_1"]', "`relay` names a credential twice"),
        ('["sk-secret"]', "write `env:NAME`"),
    ],
)
def test_credentials_that_cannot_be_meant_are_refused(tmp_path: Path, credentials: str, says: str) -> None:
    with pytest.raises(BadSettingsError, match=says):
        loaded(tmp_path, credentials)


def test_a_secret_that_is_not_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSettingsError, match="NOT_SET_ANYWHERE"):
        provider_configs(loaded(tmp_path, '["env:NOT_SET_ANYWHERE"]'))
