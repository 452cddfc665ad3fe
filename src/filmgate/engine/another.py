"""Another: whether a clip whose attempt failed may be tried once more, and where it has failed so far."""

from filmgate.domain.limits import ATTEMPTS
from filmgate.engine.parts import Parts
from filmgate.engine.route import Wish
from filmgate.store.work import Claim


async def may_follow(parts: Parts, claim: Claim, spent: int) -> bool:
    """Tell whether another attempt is left after this one, `spent` counting it, and a line that may make it."""
    attempt = claim.attempt
    if attempt is None or spent >= ATTEMPTS:
        return False
    failed = dict(await parts.starts.failed(claim.task_id, attempt.clip))
    failed[attempt.credential_id] = failed.get(attempt.credential_id, 0) + 1
    return parts.router.remains(Wish(request=claim.task.request, failed=failed))
