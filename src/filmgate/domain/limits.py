"""Every limit on what comes from outside, by name; settings turn only those that operators really turn."""

from datetime import timedelta
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

BODY_BYTES: Final = 64 * MIB
BODIES: Final = 256
BODIES_OF_ADDRESS: Final = 64
# A body that is small and comes at once is counted by nobody.
BODY_GRACE_SECONDS: Final = 1.0
BODY_GRACE_BYTES: Final = 64 * KIB
BODY_SECONDS: Final = 300.0
BODY_IDLE_SECONDS: Final = 30.0
JSON_BYTES: Final = MIB
JSON_DEPTH: Final = 32
JSON_INTEGER: Final = 2**53
FORM_PARTS: Final = 64
FORM_PART_HEADER_BYTES: Final = 8 * KIB
FORM_NAME_BYTES: Final = 256
FORM_BRACKETS: Final = 8
TEXT_FIELD_BYTES: Final = 256 * KIB
HEADERS_SECONDS: Final = 10.0

LONGEST_FILM_SECONDS: Final = 30
METADATA_BYTES: Final = 16 * KIB
PROMPT_CHARACTERS: Final = 32_000
PICTURE_BYTES: Final = 20 * MIB
MOST_PICTURES: Final = 8
PICTURE_PIXELS: Final = 25_000_000
PICTURE_SIDE: Final = 16_384
PICTURE_URL_CHARACTERS: Final = 4096
PICTURE_SECONDS: Final = 30.0
PICTURE_FIRST_BYTE_SECONDS: Final = 15.0

IDEMPOTENCY_KEY_BYTES: Final = 255
IDEMPOTENCY_MEMORY: Final = timedelta(hours=24)
MOST_MICROS: Final = 10**12
MOST_TASKS: Final = 1_000_000
KEY_OVERLAP: Final = timedelta(hours=24)
RELAY_SUBMITS: Final = 100
RELAY_TASKS: Final = 10
QUOTE_LIFE: Final = timedelta(minutes=10)
BLIND_RETRY_MEMORY: Final = timedelta(minutes=10)

FILM_BYTES: Final = 2 * GIB
FILM_SECONDS: Final = 900.0
FILM_IDLE_SECONDS: Final = 30.0
POLL_BODY_BYTES: Final = MIB

WEBHOOK_ENDPOINTS: Final = 20
WEBHOOK_NAME_CHARACTERS: Final = 200
WEBHOOK_SECONDS: Final = 20.0
WEBHOOK_ANSWER_BYTES: Final = 4 * KIB
WEBHOOK_ANSWER_KEPT: Final = KIB
WEBHOOKS_OF_HOST: Final = 4
WEBHOOKS_IN_HAND: Final = 128
WEBHOOK_TESTS: Final = 4
WEBHOOK_TEST_APART: Final = timedelta(seconds=1)
REPLAYED_TRIES: Final = 10
REPLAYED_WITHIN: Final = timedelta(hours=1)
TRIES_SHOWN: Final = 20
WEBHOOK_LEASE: Final = timedelta(seconds=30)
# Waits between the tries: ten tries within 76 hours.
WEBHOOK_SCHEDULE: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
WEBHOOK_JITTER: Final = 0.1
# An endpoint that took nothing for so long, and of which a delivery was given up, is told no more.
ENDPOINT_PATIENCE: Final = timedelta(hours=72)
DEAD_LETTER_EVERY: Final = timedelta(days=1)
# What went wrong before that is history.
NOTICES_SHOWN: Final = timedelta(days=7)
FORMER_SECRET_LIFE: Final = timedelta(hours=24)
DELIVERY_RETENTION: Final = timedelta(days=30)

SUBMIT_SECONDS: Final = 60.0
POLL_SECONDS: Final = 20.0
CANCEL_SECONDS: Final = 20.0
LEASE_SPARE: Final = timedelta(seconds=5)
SUBMIT_LEASE: Final = timedelta(seconds=90)
STEP_LEASE: Final = timedelta(seconds=30)
# A vendor that wants to be asked sooner is: this is how long no other engine asks, should the answer be late. No longer
# than POLL_FIRST: at the gate's own pace an answer that is unchanged writes nothing.
POLL_LEASE: Final = timedelta(seconds=5)
LEASE_RENEWAL: Final = timedelta(seconds=10)
POLL_FIRST: Final = timedelta(seconds=5)
POLL_SLOWEST: Final = timedelta(seconds=30)
HASTENED_EVERY: Final = timedelta(seconds=1)
QUESTION_FIRST: Final = timedelta(seconds=2)
QUESTION_SLOWEST: Final = timedelta(seconds=60)
PROGRESS_STEP: Final = 5
ATTEMPTS: Final = 3
ATTEMPT_BACKOFF: Final = timedelta(seconds=1)
ATTEMPTS_OF_CREDENTIAL: Final = 2
# Whoever is busy again and again is asked less and less often, however soon it wants to be.
BUSY_FIRST: Final = timedelta(milliseconds=500)
BUSY_SLOWEST: Final = timedelta(seconds=30)
CIRCUIT_FAILURES: Final = 5
CIRCUIT_FIRST: Final = timedelta(seconds=30)
CIRCUIT_LONGEST: Final = timedelta(minutes=10)
ROUTE_PATIENCE: Final = timedelta(seconds=30)
BEAT_EVERY: Final = timedelta(seconds=5)
SILENT_AFTER: Final = timedelta(seconds=30)
CLOCK_OFF: Final = timedelta(seconds=5)
RECONCILE_GIVE_UP: Final = timedelta(minutes=30)
LOST_ANSWERS: Final = 5
LOST_OVER: Final = timedelta(minutes=10)
COLLECT_TRIES: Final = 8
COLLECT_OVER: Final = timedelta(hours=2)
DEATHS_BEFORE_ALONE: Final = 2
DEATHS_ALONE: Final = 3
# Beside a task that may kill its engine nothing else is begun for a moment, and what is in hand may end.
ALONE_DRAIN: Final = timedelta(seconds=2)
ALONE_SLICE: Final = timedelta(seconds=5)
ALONE_AGAIN: Final = timedelta(seconds=2)
BROKEN_TRIES: Final = 30
# No step but a late try for a film waits longer than this and its vendor's pace; what seems to, waits for a clock.
DUE_FURTHEST: Final = timedelta(minutes=15)
WINDOW_AHEAD: Final = timedelta(seconds=10)
EXTEND_WITHIN: Final = timedelta(hours=12)
START_WITHIN_S: Final = 24 * 3600
TASK_DEADLINE: Final = timedelta(minutes=60)
CLAIM_BATCH: Final = 256
SWEEP_EVERY: Final = timedelta(seconds=10)
# The sweep removes so many films' files at a time.
FILES_AT_ONCE: Final = 32
IDLE_CLAIM: Final = timedelta(milliseconds=250)
OUTAGE_SLOWEST: Final = timedelta(seconds=5)
COMMIT_BATCH: Final = 256

# Less free room than this, and a folder takes no new films: the database beside it must go on.
ROOM_BYTES: Final = 200_000_000
# Larger objects go into a bucket in parts of that size.
PART_BYTES: Final = 8 * MIB
STORE_PROBE_SECONDS: Final = 10.0
STORE_PROBE_EVERY: Final = timedelta(seconds=5)
STORE_LOOK_EVERY: Final = timedelta(minutes=1)
STORE_START_SECONDS: Final = 3.0
UPLOAD_STORE_SECONDS: Final = 30.0
ORPHAN_AGE: Final = timedelta(hours=24)
ORPHAN_SWEEP_EVERY: Final = timedelta(hours=1)
ORPHAN_LOOK_EVERY: Final = timedelta(minutes=1)
# More than so many, and more than this share of all, are no leftovers: a database of yesterday may have been restored.
ORPHANS_AT_ONCE: Final = 1_000
ORPHANS_SHARE: Final = 0.1
COMPARE_SECONDS: Final = 50.0
COMPARE_SHOWN: Final = 20
COMPARE_GRACE: Final = timedelta(minutes=15)
SHIPMENTS_OF_DESTINATION: Final = 2
SHIPMENT_SECONDS: Final = 3600.0
SHIPMENT_MEMORY: Final = timedelta(days=30)

LINK_LIFE: Final = timedelta(hours=24)
BUCKET_LINK_LIFE: Final = timedelta(hours=1)
SCRATCH_LIFE: Final = timedelta(days=1)
FILM_RETENTION: Final = timedelta(days=7)
RECORD_RETENTION: Final = timedelta(days=400)
EXPIRED_KEY_READS: Final = timedelta(days=7)
CONTENT_CHUNK: Final = MIB
MODEL_CHARACTERS: Final = 200
SEARCH_CHARACTERS: Final = 200
VENDOR_REF_CHARACTERS: Final = 300
PAGE: Final = 20
PAGE_LONGEST: Final = 100
WAIT_LONGEST: Final = timedelta(seconds=60)
RETRY_AFTER_LONGEST: Final = timedelta(hours=1)
"""What comes later is not worth waiting for, and no `retry-after` says it."""
CANCEL_WAIT: Final = timedelta(seconds=3)
DELETE_WAIT: Final = timedelta(seconds=15)
LOOK_AGAIN: Final = timedelta(seconds=5)
STREAM_COMMENT: Final = timedelta(seconds=15)
PROGRESS_EVENT: Final = timedelta(seconds=1)
TOLD_AT_ONCE: Final = 200
CONTENT_STREAMS_OF_KEY: Final = 16
EVENT_STREAMS_OF_KEY: Final = 32
SHUTDOWN: Final = timedelta(seconds=25)
RESTART_FIRST: Final = timedelta(milliseconds=200)
RESTART_SLOWEST: Final = timedelta(seconds=10)
KEY_FAILURES_PER_MINUTE: Final = 20
LOG_TEXT_BYTES: Final = 2 * KIB
