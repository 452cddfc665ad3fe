"""As an operator: with the admin key, or on the gate's machine with what its data folder proves."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from filmgate.cli.address import Address, Place, find_address, setting
from filmgate.cli.client import Gate
from filmgate.cli.errors import trouble
from filmgate.cli.output import Manner
from filmgate.cli.session import Session, open_session
from filmgate.domain.clock import Clock


def operator_session(manner: Manner, place: Place) -> Session:
    """Open a session that may administer; raise CliError where nothing here proves an operator."""
    session = open_session(manner, place)
    address = find_address(place, os.environ)
    mint = _operator_key(address, os.environ, session.clock)
    known = replace(address, key=mint())
    return replace(session, gate=Gate(known, session.output.language, session.output.trace, mint=mint))


def _operator_key(address: Address, env: Mapping[str, str], clock: Clock) -> Callable[[], str]:
    """Give what names the key; a token lives for minutes, and a film may be watched for longer."""
    fixed = setting(env, "FILMGATE_ADMIN_KEY")
    if fixed:
        return lambda: fixed
    from filmgate.secrets import operator_token, read_secret  # noqa: PLC0415  # only these verbs need it

    # A token of this folder's secret is for this folder's gate: another host must not get to see one.
    ours = address.own_machine
    secret = setting(env, "FILMGATE_SECRET")
    proof = secret.split(",")[0].strip().encode() if secret else read_secret(address.data)
    if not ours or not proof:
        raise trouble("no_operator", data=str(address.data))
    return lambda: operator_token(proof, clock.now())
