"""The mistakes a dag file can have: a stable code and what it means. The reference is generated from this table."""

from enum import StrEnum
from typing import Final


class Mistake(StrEnum):
    """What is wrong with a definition; the value is the code that people see and look up."""

    UNREADABLE = "OST-101"
    SYNTAX = "OST-102"
    IMPORT = "OST-103"
    TOO_SLOW = "OST-104"
    TOO_MUCH_MEMORY = "OST-105"
    DIED = "OST-106"
    BAD_ID = "OST-110"
    SAME_DAG_ID = "OST-111"
    SAME_TASK_ID = "OST-112"
    DAG_RAISED = "OST-113"
    ODD_DAG = "OST-114"
    NO_TASKS = "OST-115"
    NESTED_DAG = "OST-116"
    ODD_TASK = "OST-117"
    OUTSIDE_DAG = "OST-118"
    OUTPUT_UNKNOWN = "OST-119"
    CYCLE = "OST-120"
    FOREIGN_STEP = "OST-121"
    BAD_CALL = "OST-122"
    NOT_STORABLE = "OST-123"
    NOT_A_STEP = "OST-124"
    BAD_CRON = "OST-130"
    BAD_ZONE = "OST-131"
    BAD_DURATION = "OST-132"
    BAD_SCHEDULE = "OST-133"
    BAD_DEADLINE = "OST-134"
    BAD_CHOICE = "OST-135"
    BAD_NUMBER = "OST-136"
    BAD_SIZE = "OST-137"
    BAD_DATE = "OST-138"
    BAD_TEXT = "OST-139"
    BAD_TEMPLATE = "OST-140"
    UNKNOWN_NAME = "OST-141"
    UNKNOWN_FILTER = "OST-142"
    UNKNOWN_PARAM = "OST-143"
    BAD_PARAM = "OST-144"
    BAD_CALENDAR = "OST-151"
    BAD_MOMENTS = "OST-152"
    BAD_AFTER = "OST-153"
    AFTER_CIRCLE = "OST-154"
    AFTER_UNKNOWN = "OST-155"
    BAD_CONDITION = "OST-160"
    RULE_AND_CONDITIONS = "OST-161"
    NOTHING_TO_FOLLOW = "OST-162"
    OPEN_BLOCK = "OST-163"
    SAME_BLOCK_ID = "OST-164"
    BAD_GUARD = "OST-165"
    NESTED_SCOPE = "OST-166"
    NOT_A_LIST = "OST-167"
    NOT_GATHERED = "OST-168"
    BAD_GATHERED = "OST-169"
    OUTSIDE_SCOPE = "OST-170"
    EMPTY_SCOPE = "OST-171"
    BAD_LOOP = "OST-172"
    RULE_ACROSS = "OST-173"
    BAD_NEED = "OST-174"
    BAD_SCHEMA = "OST-175"
    BAD_QUESTION = "OST-176"
    MISALIGNED = "OST-177"
    UNFIT_CALL = "OST-178"
    ASKS_CLOCK = "OST-180"
    ASKS_CHANCE = "OST-181"
    SQL_ASKS_CLOCK = "OST-182"
    SQL_ASKS_CHANCE = "OST-183"
    NO_REASON = "OST-184"
    UNSTEADY = "OST-185"
    BAD_YAML = "OST-190"
    YAML_TOO_LARGE = "OST-191"
    BAD_WORDS = "OST-192"
    UNKNOWN_STEP = "OST-193"
    UNKNOWN_FUNCTION = "OST-194"
    BAD_FILLING = "OST-195"
    BAD_FOR_EACH = "OST-196"


MEANING: Final = {
    Mistake.UNREADABLE: "The file is not there, may not be read, or is not a text file in UTF-8.",
    Mistake.SYNTAX: "The file is not valid Python.",
    Mistake.IMPORT: "The file, or a module that it imports, raised an error while being imported.",
    Mistake.TOO_SLOW: "Importing the file took longer than a dag file may take. Work belongs into tasks.",
    Mistake.TOO_MUCH_MEMORY: "Importing the file took more memory than a dag file may take. Work belongs into tasks.",
    Mistake.DIED: "The process that imported the file ended before it could say which dags there are.",
    Mistake.BAD_ID: "An id is made of letters, digits, '_', '-' and '.', begins with a letter or digit, and is short.",
    Mistake.SAME_DAG_ID: "Two dags have one id. An id names one dag.",
    Mistake.SAME_TASK_ID: "Two steps of a dag have one id. Name one of them: `load.named('load_eu')(...)`.",
    Mistake.DAG_RAISED: "A dag's function raised an error while it was laying out its steps.",
    Mistake.ODD_DAG: "A dag is a plain function that takes nothing, calls tasks and returns nothing.",
    Mistake.NO_TASKS: "A dag has at least one step.",
    Mistake.NESTED_DAG: "A dag is defined inside another one. Dags stand beside each other.",
    Mistake.ODD_TASK: "A task is a plain function: not async, not a generator, not a class.",
    Mistake.OUTSIDE_DAG: "A task is called where no dag is being laid out. Its plain function is `task.function`.",
    Mistake.OUTPUT_UNKNOWN: "What a task returns is not known while the dag is laid out. Only other tasks can use it.",
    Mistake.CYCLE: "Steps wait for each other in a circle, so none could ever begin.",
    Mistake.FOREIGN_STEP: "A step of another dag cannot be used here.",
    Mistake.BAD_CALL: "A task is called with arguments that its function does not take, or without some that it needs.",
    Mistake.NOT_STORABLE: "An argument is not plain data, so it cannot be kept with the dag.",
    Mistake.NOT_A_STEP: "Only steps can be ordered with `>>`; `step(...)` makes one of a task's output.",
    Mistake.BAD_CRON: "A cron expression has five fields: minute, hour, day of month, month, day of week.",
    Mistake.BAD_ZONE: "A time zone is a name of the IANA data base, such as 'Europe/Berlin' or 'UTC'.",
    Mistake.BAD_DURATION: "A duration is a number of seconds, a timedelta, or text such as '200ms', '30s', '10m', '2h', '1d'.",
    Mistake.BAD_SCHEDULE: "A schedule is `cron(...)`, `every(...)`, `calendar(...)`, `moments(...)`, `continuous()`, `after(...)` or None.",
    Mistake.BAD_DEADLINE: "A deadline is `by('HH:MM')`, and needs a schedule: it is a promise for each of its intervals.",
    Mistake.BAD_CHOICE: "An option has a value that is not among its choices.",
    Mistake.BAD_NUMBER: "An option needs a whole number within its bounds.",
    Mistake.BAD_SIZE: "A size is a number of bytes, or text such as '512MB' or '2GiB'.",
    Mistake.BAD_DATE: "The bounds of a schedule are dates, and the end is not before the start.",
    Mistake.BAD_TEXT: "An option needs text.",
    Mistake.BAD_TEMPLATE: "A template is text with `{{ name }}` or `{{ name | filter }}` in it.",
    Mistake.UNKNOWN_NAME: "A template uses a name that is never filled.",
    Mistake.UNKNOWN_FILTER: "A template uses a filter that does not exist or does not fit the name.",
    Mistake.UNKNOWN_PARAM: "The dag does not declare this parameter, or declares it with another type.",
    Mistake.BAD_PARAM: "A parameter is declared by its default value or its type.",
    Mistake.BAD_CALENDAR: "A calendar leaves dates and days of the week out of a cron schedule, but not all days of the week.",
    Mistake.BAD_MOMENTS: "A list of moments has at least two, in whole seconds and ascending.",
    Mistake.BAD_AFTER: "A dag runs after other dags, for intervals that are known: `after('clicks', each=every('1h'))`.",
    Mistake.AFTER_CIRCLE: "Dags run after each other in a circle, so none of them ever would.",
    Mistake.AFTER_UNKNOWN: "A dag runs after one that is in none of the files.",
    Mistake.BAD_CONDITION: "A condition names outcomes: `step(a).on('failed', 'skipped') >> step(b)`.",
    Mistake.RULE_AND_CONDITIONS: "A step has a trigger rule or conditions on its edges, not both.",
    Mistake.NOTHING_TO_FOLLOW: "A branch or a short circuit has steps after it, which it chooses from.",
    Mistake.OPEN_BLOCK: "A block is used inside of itself. It has first and last steps once its `with` is over.",
    Mistake.SAME_BLOCK_ID: "A block has the id of another block or of a step.",
    Mistake.BAD_GUARD: "A guarded block has steps of its own as setup and teardown, in the same scope, without trigger rules.",
    Mistake.NESTED_SCOPE: "A mapped task, `each` or `loop` stands inside of another. Call a dag there instead.",
    Mistake.NOT_A_LIST: "What is mapped over is a list of plain data, a parameter or an output, of fitting length.",
    Mistake.NOT_GATHERED: "A step that is performed more than once has many outputs: `gathered(...)` is the list of them.",
    Mistake.BAD_GATHERED: "Only outputs of a block under `each` or `loop` are gathered, and only outside of it.",
    Mistake.OUTSIDE_SCOPE: "The item of a block, or the value of a turn, is used outside of the block.",
    Mistake.EMPTY_SCOPE: "A block under `each` or `loop` has at least one step.",
    Mistake.BAD_LOOP: "A loop says once until when it goes on, by outputs of steps inside of it.",
    Mistake.RULE_ACROSS: "A trigger rule or condition crosses the edge of a block that is performed more than once.",
    Mistake.BAD_NEED: "A wait for another dag counts time (`shift`, `size`) or intervals (`intervals`, `last`), and never waits for itself.",
    Mistake.BAD_SCHEMA: "The schema of a parameter is valid JSON Schema, and its default satisfies it.",
    Mistake.BAD_QUESTION: "An approval asks something: text that is not empty.",
    Mistake.MISALIGNED: "A step or a dag waits for intervals of another dag that can never be: the ends of the two do not meet.",
    Mistake.UNFIT_CALL: "A dag is called with parameters that it does not have, or that do not fit.",
    Mistake.ASKS_CLOCK: "A warning: the code of a task asks the clock. What a run is for is in its context.",
    Mistake.ASKS_CHANCE: "A warning: the code of a task uses chance without a seed, so no run can be repeated.",
    Mistake.SQL_ASKS_CLOCK: "A warning: SQL in the code of a task asks the database for its clock.",
    Mistake.SQL_ASKS_CHANCE: "A warning: SQL in the code of a task asks the database for chance.",
    Mistake.NO_REASON: "A warning: a comment `# clock ok` gives no reason, and exempts nothing.",
    Mistake.UNSTEADY: "The file lays out other dags each time it is imported: it asks the clock or chance, or writes where objects lie in memory. (The order of a set is the same in each import.)",
    Mistake.BAD_YAML: "The file is not YAML 1.2, or uses what is not understood here: tags, keys that are not text or there twice.",
    Mistake.YAML_TOO_LARGE: "The file is too large, nested too deeply, or its aliases stand for too much.",
    Mistake.BAD_WORDS: "The file does not satisfy the JSON Schema of dags in YAML.",
    Mistake.UNKNOWN_STEP: "A step names another one that is not there.",
    Mistake.UNKNOWN_FUNCTION: "A step names a function `module:function` whose module or function is not there.",
    Mistake.BAD_FILLING: "`$output`, `$gathered`, `$param`, `$item`, `$turn` stand alone in a mapping, with one name.",
    Mistake.BAD_FOR_EACH: "`for_each` names a list, here or in a file beside, and `${item}` or `${item.part}` stands for its items.",
}
