"""Money as people read it."""

from typing import Final

from filmgate.domain.price import MICROS

_CENT: Final = 10_000
_DIGITS: Final = 2
_DIGITS_BELOW_A_CENT: Final = 4


def dollars(amount_micros: int) -> str:
    """Write `$0.80` and never a bare number: exact to the last micro-dollar, with two decimals, below a cent with four."""
    sign, amount = ("-" if amount_micros < 0 else ""), abs(amount_micros)
    whole, rest = divmod(amount, MICROS)
    digits = f"{rest:06}"
    least = _DIGITS_BELOW_A_CENT if 0 < amount < _CENT else _DIGITS
    return f"{sign}${whole}.{digits[:least]}{digits[least:].rstrip('0')}"
