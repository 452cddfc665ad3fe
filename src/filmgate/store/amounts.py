"""Money in the texts that the database itself writes."""


def dollars_of(micros: str) -> str:
    """Give the expression that writes micro-dollars, never negative ones, as `domain.money` does."""
    return (
        f"'$' || to_char({micros} / 1e6, case when {micros} between 1 and 9999"
        " then 'FM99999999999990.000099' else 'FM99999999999990.009999' end)"
    )
