"""What tests of the store share."""

import pytest

from filmgate.store.keys import Keys
from filmgate.store.pool import Pool


@pytest.fixture
def keys(pool: Pool) -> Keys:
    return Keys(pool, [b"pepper"])
