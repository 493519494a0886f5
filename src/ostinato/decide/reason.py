"""The reasons that `explain` gives: each with a code that never changes, a sentence, and what lifts it."""

from enum import StrEnum

from msgspec import Struct


class Code(StrEnum):
    """W-1xx: somebody is not there. W-2xx: a dag. W-3xx: a run. W-4xx: a task that waits. W-5xx: a task that ended."""

    NO_SCHEDULER = "W-101"
    NO_AGENT = "W-102"

    DAG_RETIRED = "W-201"
    NO_SCHEDULE = "W-202"
    PAUSED = "W-203"
    SCHEDULE_OVER = "W-204"
    SCHEDULE_NOT_BEGUN = "W-205"
    INTERVAL_OPEN = "W-206"
    OTHERS_OPEN = "W-207"

    TOO_MANY_RUNS = "W-301"
    ABOUT_TO_BEGIN = "W-302"
    TASKS_OPEN = "W-303"
    RUN_STOPPING = "W-304"
    RUN_SUCCEEDED = "W-305"
    RUN_FAILED = "W-306"
    RUN_CANCELLED = "W-307"
    BACKFILL_PAUSED = "W-308"
    BACKFILL_FULL = "W-309"
    RUN_OVERLAPPED = "W-310"

    RUN_NOT_BEGUN = "W-401"
    UPSTREAM_OPEN = "W-402"
    POOL_TOO_SMALL = "W-403"
    POOL_FULL = "W-404"
    NOT_ITS_TURN = "W-405"
    AT_THE_AGENT = "W-406"
    RUNS = "W-407"
    RETRY_LATER = "W-408"
    LOOKS_LATER = "W-409"
    LOOKS_FOR = "W-410"
    TASK_STOPPING = "W-411"
    INTERVALS_OPEN = "W-412"
    CHILD_OPEN = "W-413"
    ASKS = "W-414"
    UNFOLDS = "W-415"
    INSTANCES_OPEN = "W-416"
    SCOPE_FULL = "W-417"
    DAG_FULL = "W-418"
    TASK_FULL = "W-419"
    ABOUT_TO_CALL = "W-420"
    DECISION_WAITS = "W-421"
    DECISION_REFUSED = "W-422"

    SUCCEEDED = "W-501"
    FAILED = "W-502"
    WAITED_IN_VAIN = "W-503"
    SKIPPED_ITSELF = "W-504"
    UPSTREAM_SKIPPED = "W-505"
    UPSTREAM_FAILED = "W-506"
    CANCELLED = "W-507"
    RULE_NOT_MET = "W-508"
    EDGE_NOT_TAKEN = "W-509"
    BRANCH_NOT_TAKEN = "W-510"
    SHORT_CIRCUITED = "W-511"
    NOTHING_TO_EXPAND = "W-512"
    NOT_EXPANDED = "W-513"
    INSTANCE_FAILED = "W-514"
    SWITCHED_OFF = "W-515"
    CHILD_FAILED = "W-516"
    NOT_CALLED = "W-517"
    DECLINED = "W-518"
    MARKED = "W-519"
    CARRIED_OVER = "W-520"
    INSTANCES_SKIPPED = "W-521"


class Reason(Struct, frozen=True):
    """One link of a chain. ``lifts`` says what ends it; it is empty where nothing has to."""

    code: Code
    what: str
    lifts: str = ""
