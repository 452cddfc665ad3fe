"""Opening a bucket by its address: as the environment says, or by options of its own and nothing else."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store, from_url

from filmgate.objects.faults import ObjectStoreError, Trouble, first_line
from filmgate.objects.signature import Keys, Signer

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config, S3Credential
    from obstore.store import ObjectStore as Backend

_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_TOKENS: Final = ("AWS_SESSION_TOKEN", "AWS_TOKEN")
_KINDS: Final[Mapping[str, str]] = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gs",
    "az": "az",
    "azure": "az",
    "abfs": "az",
    "abfss": "az",
    "memory": "memory",
}
_S3_HOSTS: Final = (".amazonaws.com", ".r2.cloudflarestorage.com")
_AZURE_HOSTS: Final = (".blob.core.windows.net", ".dfs.core.windows.net")
_OWN: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "s3": (("access_key_id", "secret_access_key"),),
    "gs": (("service_account_key",), ("service_account_path",)),
    "az": (("account_name", "account_key"), ("account_name", "sas_key")),
}
_REGION: Final = "us-east-1"
_ENDLESS: Final = timedelta(days=1)
_BRIEFLY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a store may take, and how often it is asked again for what is safe to ask twice."""

    connect_s: float = 5.0
    idle_s: float = 60.0
    """The longest wait for the next byte of an answer; an object of one part must have gone up by then."""
    part_s: float = 300.0
    """The longest time for one part of a large upload."""
    tries: int = 4
    retry_within_s: float = 60.0
    pause_s: float = 0.2
    """How long to wait before the second try; twice as long before each further one."""


PATIENCE: Final = Patience()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket that is open; `signer` is there where we hold the keys ourselves."""

    backend: "Backend"
    signer: Signer | None = None


def open_bucket(url: str, patience: Patience = PATIENCE) -> Bucket:
    """Open the gate's own bucket; the environment names endpoint, region and credentials as usual."""
    parts = _checked(url)
    if _kind(parts) != "s3":
        with _opening(parts):
            return Bucket(from_url(url, client_options=_client(patience), retry_config=_retries(patience)))
    access_key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    keys = Keys(access_key, secret, _first(_TOKENS)) if access_key and secret else None
    with _opening(parts):
        backend = S3Store.from_url(
            url,
            # Not every store knows how to delete many at once.
            config={"disable_bulk_delete": True},
            client_options=_client(patience, _first(_ENDPOINTS)),
            retry_config=_retries(patience),
        )
        # Without keys of ours this would ask the network for some, and that may take long.
        return Bucket(backend, None if keys is None else _signer(backend, keys))


def open_foreign_bucket(url: str, options: Mapping[str, str], patience: Patience = PATIENCE) -> Bucket:
    """Open a bucket of somebody else by options in obstore's names; raise ObjectStoreError where it has no keys.

    Neither credentials nor an endpoint of the gate's own environment ever reach a bucket of S3.
    """
    parts = _checked(url)
    kind = _kind(parts)
    wanted = _OWN.get(kind)
    if wanted is None:
        raise _wrong(f"{parts.scheme}:// is no bucket; write s3://, gs:// or az://")
    if not any(all(options.get(name) for name in names) for names in wanted):
        said = ", or ".join(" and ".join(names) for names in wanted)
        raise _wrong(f"{parts.scheme}://{parts.netloc} needs credentials of its own: {said}")
    if kind == "s3":
        return _foreign_s3(parts, options, patience)
    client = _client(patience, options.get("endpoint"))
    with _opening(parts):
        return Bucket(
            from_url(url, config=dict(options), client_options=client, retry_config=_retries(patience))  # type: ignore[call-overload]  # the options are told apart by the address, which only obstore reads
        )


def _foreign_s3(parts: SplitResult, options: Mapping[str, str], patience: Patience) -> Bucket:
    keys = Keys(options["access_key_id"], options["secret_access_key"], options.get("session_token"))
    region = options.get("region") or _REGION
    virtual = options.get("virtual_hosted_style_request", "false").lower() == "true"
    host = f"{parts.netloc}.s3" if virtual else "s3"
    endpoint = options.get("endpoint") or f"https://{host}.{region}.amazonaws.com"

    def provide() -> "S3Credential":
        # Given this way, no token of the environment is sent along.
        return {
            "access_key_id": keys.access_key,
            "secret_access_key": keys.secret,
            "token": keys.token,
            "expires_at": None,
        }

    config: S3Config = {
        "region": region,
        "endpoint": endpoint,
        # The environment's endpoint would win over the one above.
        "aws_endpoint_url_s3": endpoint,
        "virtual_hosted_style_request": virtual,
        "skip_signature": False,
        "disable_bulk_delete": True,
    }
    with _opening(parts):
        backend = S3Store(
            parts.netloc,
            prefix=unquote(parts.path).strip("/") or None,
            config=config,
            client_options=_client(patience, endpoint),
            retry_config=_retries(patience),
            credential_provider=provide,
        )
        return Bucket(backend, _signer(backend, keys))


def _signer(backend: S3Store, keys: Keys) -> Signer:
    # The region that obstore settled on stands in what it signs.
    signed = urlsplit(obstore.sign(backend, "GET", "region", _BRIEFLY))
    return Signer(keys, parse_qs(signed.query)["X-Amz-Credential"][0].split("/")[-3])


def _checked(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise _wrong("the address of a bucket holds no secrets; they belong into the environment")
    if parts.query or parts.fragment:
        said = "AWS_ENDPOINT_URL and AWS_REGION name endpoint and region"
        raise _wrong(f"the address of a bucket ends with its prefix, without ? and #; {said}")
    if _kind(parts) not in {"memory", ""} and not parts.hostname:
        raise _wrong(f"the address names no bucket; write {parts.scheme}://BUCKET/PREFIX")
    return parts


def _kind(parts: SplitResult) -> str:
    if parts.scheme == "https" and parts.hostname:
        if parts.hostname.endswith(_S3_HOSTS):
            return "s3"
        if parts.hostname.endswith(_AZURE_HOSTS):
            return "az"
    kind = _KINDS.get(parts.scheme)
    if kind is None:
        said = "write s3://BUCKET, gs://BUCKET or az://CONTAINER, and set AWS_ENDPOINT_URL for other hosts"
        raise _wrong(f"a {parts.scheme}:// store cannot be opened there; {said}")
    return kind


def _first(names: tuple[str, ...]) -> str | None:
    return next((value for name in names if (value := os.environ.get(name))), None)


def _client(patience: Patience, endpoint: str | None = None) -> "ClientConfig":
    options: ClientConfig = {
        "connect_timeout": timedelta(seconds=patience.connect_s),
        "read_timeout": timedelta(seconds=patience.idle_s),
        # A film that somebody watches may take as long as it likes, while bytes go on coming.
        "timeout": _ENDLESS,
    }
    # Whoever writes http into an endpoint means it.
    return {**options, "allow_http": True} if (endpoint or "").startswith("http://") else options


def _retries(patience: Patience) -> "RetryConfig":
    return {
        "max_retries": patience.tries - 1,
        "retry_timeout": timedelta(seconds=patience.retry_within_s),
        "backoff": {"init_backoff": timedelta(seconds=patience.pause_s)},
    }


def _wrong(text: str) -> ObjectStoreError:
    return ObjectStoreError(text, Trouble.WRONG_SETTING)


@contextmanager
def _opening(parts: SplitResult) -> Iterator[None]:
    try:
        yield
    except (BaseError, ValueError) as error:
        raise _wrong(f"{parts.scheme}://{parts.netloc} cannot be opened: {first_line(error)}") from None
