"""Host names: which texts are names, how they are spelled on the wire, and which of them stay unasked."""

import re
import unicodedata
from typing import Final

import idna

from filmgate.net.denied import Denied

LONGEST_NAME: Final = 253
LONGEST_LABEL: Final = 63

DENIED_TOPS: Final = frozenset((
    "localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "arpa",
    "test", "example", "invalid", "onion", "alt", "svc", "consul", "docker",
))  # fmt: skip
DENIED_NAMES: Final = (
    "metadata.goog",
    "metadata.tencentyun.com",
    "metadata.packet.net",
    "metadata.platformequinix.com",
    "api.metadata.cloud.ibm.com",
)

_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?", re.ASCII)
_TOP: Final = re.compile(r"[a-z]{2,}|xn--[a-z0-9-]+", re.ASCII)
_LATIN_LOOKALIKES: Final = frozenset(("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"))
_A_LABEL: Final = "xn--"


def wire_name(host: str) -> str:
    """Spell a name as it goes over the wire: lower case, A-labels, no trailing dot. Raise Denied."""
    labels = [_wire_label(label) for label in host.removesuffix(".").split(".")]
    name = ".".join(labels)
    if len(name) > LONGEST_NAME:
        raise Denied("G6", f"the host has {len(name)} characters, {LONGEST_NAME} is the most")
    return name


def demand_public(name: str) -> None:
    """Raise Denied for a wire name that is no public one, or that belongs to a metadata server."""
    labels = name.split(".")
    top = labels[-1]
    if len(labels) < 2:  # noqa: PLR2004  # a lone label is completed by search domains
        raise Denied("G6", f"the host {name} is a single label")
    if top[0].isdigit():
        raise Denied("G7", f"the host {name} ends in a number and is no plain IPv4 address")
    if _TOP.fullmatch(top) is None:
        raise Denied("G6", f"the host {name} does not end in a top-level domain")
    if top in DENIED_TOPS:
        raise Denied("G9", f"the host {name} ends in .{top}")
    for denied in DENIED_NAMES:
        if name == denied or name.endswith(f".{denied}"):
            raise Denied("G9", f"the host {name} is a metadata server")


def _wire_label(label: str) -> str:
    # Plain ASCII never meets the IDNA library: it refuses labels such as r3---sn-x that exist.
    if not label.isascii():
        wire = _encoded(label)
    else:
        wire = label.lower()
        if wire.startswith(_A_LABEL):
            _demand_canonical(wire)
    if len(wire) > LONGEST_LABEL:
        raise Denied("G6", f"a label of {len(wire)} characters, {LONGEST_LABEL} is the most")
    if _LABEL.fullmatch(wire) is None:
        raise Denied("G6", f"the label {wire!r} is empty, has an outer hyphen, or a character of no name")
    return wire


def _encoded(label: str) -> str:
    try:
        mapped = idna.uts46_remap(label, std3_rules=True)
        if mapped.isascii():
            raise Denied("G8", f"the label {label!r} folds to {mapped!r}")
        _demand_one_script(mapped)
        return idna.alabel(mapped).decode("ascii")
    except UnicodeError as error:
        raise Denied("G8", f"the label {label!r} is no IDNA label: {error}") from error


def _demand_canonical(a_label: str) -> None:
    try:
        spelled = _encoded(idna.ulabel(a_label))
    except UnicodeError as error:
        raise Denied("G8", f"the label {a_label!r} is no A-label: {error}") from error
    if spelled != a_label:
        raise Denied("G8", f"the label {a_label!r} is not how its name is spelled")


def _demand_one_script(label: str) -> None:
    scripts = {word for character in label for word in unicodedata.name(character, "").split()}
    foreign = scripts & _LATIN_LOOKALIKES
    if "LATIN" in scripts and foreign:
        raise Denied("G8", f"the label {label!r} mixes Latin with {', '.join(sorted(foreign)).title()}")
