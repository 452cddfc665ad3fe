"""The dialects that the gate speaks; on a shared path, the first that claims a call has it, else the last of all."""

from collections.abc import Sequence
from typing import Final, cast

from filmgate.dialects import laozhang, newapi, openai, unified, yishang
from filmgate.domain.contracts import Dialect

DIALECTS: Final = cast("Sequence[Dialect]", (newapi, openai, unified, laozhang, yishang))
