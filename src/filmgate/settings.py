"""The settings: flags over FILMGATE_* over filmgate.toml over defaults; read once at start, frozen afterwards."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Self

from platformdirs import user_data_path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from filmgate.domain.catalogue import Catalogue, read_catalogue
from filmgate.domain.cost import CostRow
from filmgate.domain.limits import FILM_RETENTION, RECORD_RETENTION
from filmgate.domain.lines import line_of
from filmgate.domain.price import PriceRow
from filmgate.domain.tariff import read_cost, read_price, repeated

CONFIG_NAME = "filmgate.toml"


class BadSettingsError(Exception):
    """The settings say something that cannot be meant; the text says where, and what would be right."""


def _by_reference(value: str) -> str:
    if value and not value.startswith("env:"):
        raise ValueError("write `env:NAME` and put the secret into that environment variable")
    return value


Reference = Annotated[
    str, AfterValidator(_by_reference), Field(description="`env:NAME`: a secret never stands in the file.")
]


def _as_several(value: object) -> object:
    """Read one reference as a list of one."""
    return ((value,) if value else ()) if isinstance(value, str) else value


class ProviderLimits(BaseModel):
    """What each credential of a provider takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    submits_per_minute: int | None = Field(None, gt=0)
    in_flight: int | None = Field(None, gt=0)


class ProviderTable(BaseModel):
    """One `[[providers]]` table; what its kind alone knows stands in `options`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    kind: str
    base_url: str = ""
    credentials: Annotated[tuple[Reference, ...], BeforeValidator(_as_several)] = ()
    limits: ProviderLimits = ProviderLimits(submits_per_minute=None, in_flight=None)
    costs: tuple[Annotated[CostRow, PlainValidator(read_cost)], ...] = ()
    options: Mapping[str, Any] = Field(default_factory=dict)


class ViaTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str
    model: str | None = None
    weight: int = Field(1, gt=0)
    order: int = Field(0, ge=0, description="A higher one is for when those of a lower one cannot be had.")


class RouteTable(BaseModel):
    """One `[[routes]]` table: which providers serve the public models that a pattern names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    via: tuple[ViaTable, ...] = Field(min_length=1)


class EnhancerTable(BaseModel):
    """The `[enhancer]` table: a chat server of the OpenAI kind that words prompts anew."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(description="Such as `https://api.example.com/v1`.")
    model: str
    credentials: Reference = ""


class GuardTable(BaseModel):
    """The `[guard]` table: what customers' addresses may and may not lead to, beside the rules that always hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow: frozenset[str] = Field(frozenset(), description="As FILMGATE_GUARD_ALLOW.")
    allow_cidrs: tuple[IPv4Network | IPv6Network, ...] = ()
    deny_cidrs: tuple[IPv4Network | IPv6Network, ...] = ()
    ports: frozenset[Annotated[int, Field(ge=1, le=65535)]] = frozenset((80, 443, 8080, 8443))
    nat64: bool = False


class DestinationTable(BaseModel):
    """One `[[destinations]]` table: a bucket of a customer, into which films are delivered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    url: str = Field(description="`s3://BUCKET/PREFIX`, `gs://...` or `az://...`.")
    path: str = "{key}/{date}/{id}.mp4"
    credentials: Mapping[str, Reference] = Field(
        min_length=1, description="What the store calls its secrets: `access_key_id`, `secret_access_key`."
    )
    endpoint: str = ""
    region: str = ""
    options: Mapping[str, str] = Field(default_factory=dict)
    accounts: frozenset[str] = Field(frozenset(), description="Who may use it; everybody if nobody is named.")


class Settings(BaseSettings):
    """What an operator may turn."""

    model_config = SettingsConfigDict(env_prefix="FILMGATE_", frozen=True, extra="ignore")

    data: Path = Field(default_factory=lambda: user_data_path("filmgate"))
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    web_workers: int = Field(1, ge=1, le=64)
    worker: bool = True
    database_url: SecretStr | None = None
    database_direct_url: SecretStr | None = None
    postgres_bin: Path | None = None
    objects_url: str | None = None
    bucket_links: bool = False
    destinations: tuple[DestinationTable, ...] = ()
    public_url: str | None = None
    secret: SecretStr | None = None
    admin_key: SecretStr | None = None
    guard_allow: Annotated[frozenset[str], NoDecode] = frozenset()
    renders_at_once: int = Field(default_factory=lambda: max(1, (os.cpu_count() or 1) - 1), gt=0)
    retention_days: float = Field(FILM_RETENTION / timedelta(days=1), gt=0)
    record_days: float = Field(RECORD_RETENTION / timedelta(days=1), ge=31, le=36_500)
    log_prompts: bool = False
    catalogue: Path | None = None
    prices: tuple[Annotated[PriceRow, PlainValidator(read_price)], ...] = ()
    enhancer: EnhancerTable | None = None
    guard: GuardTable = Field(default_factory=lambda: GuardTable.model_validate({}))
    providers: tuple[ProviderTable, ...] = ()
    routes: tuple[RouteTable, ...] = ()

    @field_validator("guard_allow", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        """Read `host:port,host:port`."""
        if isinstance(value, str):
            return frozenset(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("public_url")
    @classmethod
    def _no_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del settings_cls, dotenv_settings, file_secret_settings
        return init_settings, env_settings

    @classmethod
    def load(cls, flags: Mapping[str, Any], config: Path | None = None) -> Self:
        """Read all sources; raise BadSettingsError with every fault that is found."""
        path = config or Path(os.environ.get("FILMGATE_CONFIG", CONFIG_NAME))
        given = {name: value for name, value in flags.items() if value is not None}
        try:
            text = path.read_text() if path.exists() else ""
            written = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
            raise BadSettingsError(f"{path}: {error}") from None
        unknown = set(written) - set(cls.model_fields)
        if unknown:
            raise BadSettingsError(f"{path}: there is no setting `{min(unknown)}`")
        environment = {name for name in cls.model_fields if f"FILMGATE_{name}".upper() in os.environ}
        below = {name: value for name, value in written.items() if name not in environment}
        try:
            settings = cls(**(below | given))
        except ValidationError as error:
            faults = (_fault(fault["loc"], fault["msg"], text, written) for fault in error.errors())
            raise BadSettingsError("; ".join(faults)) from None
        settings._check_routes()
        settings._check_prices(text)
        settings._check_retention()
        settings._check_destinations()
        return settings

    def _check_prices(self, text: str) -> None:
        twice = repeated(self.prices)
        if twice is not None:
            raise BadSettingsError(f"line {line_of(text, 'prices', twice[0])}: prices: {twice[1]}")
        for no, provider in enumerate(self.providers):
            twice = repeated(provider.costs)
            if twice is not None:
                where = f"line {line_of(text, 'providers', no)}: providers: costs of `{provider.name}`"
                raise BadSettingsError(f"{where}: {twice[1]}")

    def _check_retention(self) -> None:
        if self.record_days < self.retention_days:
            raise BadSettingsError(
                f"record_days: {self.record_days:g} is less than the {self.retention_days:g} retention_days: "
                "a film's record must outlive it"
            )

    def _check_destinations(self) -> None:
        names = [destination.name for destination in self.destinations]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise BadSettingsError(f"destinations: `{min(twice)}` is named twice")

    def _check_routes(self) -> None:
        names = [provider.name for provider in self.providers]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise BadSettingsError(f"providers: `{min(twice)}` is named twice")
        for provider in self.providers:
            if len(set(provider.credentials)) < len(provider.credentials):
                raise BadSettingsError(f"providers: `{provider.name}` names a credential twice")
        for route in self.routes:
            for via in route.via:
                if via.provider not in {*names, "animatic"}:
                    raise BadSettingsError(
                        f"routes: `{route.model}` goes via `{via.provider}`, which is no provider"
                    )


def _fault(place: Sequence[int | str], says: str, text: str, written: Mapping[str, Any]) -> str:
    """Say what is wrong with a value, with the line of its table where it stands in the file."""
    name = ".".join(map(str, place))
    says = says.removeprefix("Value error, ")
    match place:
        case (str(table), int(no), *_) if isinstance(written.get(table), list):
            return f"line {line_of(text, table, no)}: {name}: {says}"
    return f"{name}: {says}"


def name_of(reference: str) -> str:
    """Name a credential without its secret."""
    return reference.removeprefix("env:") or "default"


def secret_of(reference: str) -> str:
    """Read a secret by its reference; raise BadSettingsError where it is not set."""
    if not reference:
        return ""
    name = reference.removeprefix("env:")
    if name not in os.environ:
        raise BadSettingsError(f"the environment variable {name} is not set, although the settings name it")
    return os.environ[name]


def load_catalogue(settings: Settings) -> Catalogue:
    """Read the models and their prices; raise BadSettingsError where the operator's file cannot be meant."""
    texts = [files("filmgate").joinpath("catalogue.toml").read_text("utf-8")]
    if settings.catalogue is None:
        return read_catalogue(texts, settings.prices)
    try:
        return read_catalogue([*texts, settings.catalogue.read_text("utf-8")], settings.prices)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise BadSettingsError(f"{settings.catalogue}: {error}") from None
