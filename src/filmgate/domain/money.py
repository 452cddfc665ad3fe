"""Money as people read it."""

from typing import Final

from filmgate.domain.price import MICROS

_CENT: Final = 10_000


def dollars(amount_micros: int) -> str:
    """Write `$0.80`, with four decimals below a cent, and never a bare number."""
    sign, amount = ("-" if amount_micros < 0 else ""), abs(amount_micros)
    exact = 0 < amount < _CENT or amount % _CENT != 0
    return f"{sign}${amount / MICROS:.4f}" if exact else f"{sign}${amount / MICROS:.2f}"
