"""A dag in YAML and its twin in Python are the same bytes."""

import sys
from textwrap import dedent

import pytest

from ostinato.authoring.check import Collecting
from ostinato.authoring.load import build_all, import_file, load_source, local_modules
from ostinato.authoring.perform import perform
from ostinato.authoring.yaml_words import SCHEDULES as WORDS
from ostinato.model.canonical import canonical
from ostinato.model.message import Call
from ostinato.model.spec import DagSpec, Source
from ostinato.model.value import encode

FUNCTIONS = """
from ostinato import Context

def extract(region, day=None): return [1]
def clean(rows, table="silver"): return rows
def publish(rows=None): return None
def choose(rows): return "clean"
def good(rows): return True
def ready(ctx: Context, partner): return True
def partners(): return ["a", "b"]
def start(): return "c"
def stop(cluster): return None
def fetch(url): return {"next": None}
def is_last(page): return True
def next_url(page): return ""
"""
PYTHON = """
from datetime import date, datetime, timedelta, timezone
from ostinato import *
import work
tasks = {name: task(value) for name, value in vars(work).items() if callable(value) and name != "Context"}
globals().update(tasks)
"""


def specs(file: str, code: str, *more: tuple[str, str, bytes]) -> list[DagSpec]:
    """The dags of a file beside the functions above."""
    source = Source(file, code.encode(), (("work", "/dags/work.py", FUNCTIONS.encode()), *more))
    gathered = Collecting(file, {file: source.code})
    assert import_file(gathered, source.code, local_modules(source)) is None
    built = build_all(gathered)
    assert not gathered.problems
    return built


TWINS = {
    "arguments": (
        """
        dag: twin
        description: Sales of a day.
        schedule: {cron: "0 6 * * *", tz: Europe/Berlin}
        start: 2024-01-01
        end: "2024-12-31"
        deadline: {by: "08:00"}
        params:
          region: eu
          rows: {type: integer, minimum: 1, description: at least one}
        catchup: all
        overlap: skip
        previous: true
        clock: warn
        outcome: leaves
        max_active_runs: 2
        max_active_tasks: 3
        tags: [sales]
        tasks:
          extract:
            run: work:extract
            with: {region: {$param: region}, day: "{{ logical_date }}"}
            retry: {transient: 5, first_delay: 1m}
            pool: db
            slots: 2
            priority: 7
            memory: 2GB
            timeout: 10m
            isolation: process
            max_active: 4
            depends_on_past: true
          clean:
            run: work:clean
            with: {rows: [{$output: extract}, 1, {"x": {$param: rows}}], table: gold}
          publish: {run: work:publish, after: clean, trigger_rule: all_done}
        """,
        """
        extract = task(task_id="extract", retry=retry(transient=5, first_delay="1m"), pool="db", slots=2, priority=7,
            memory="2GB", timeout="10m", isolation="process", max_active=4, depends_on_past=True)(work.extract)
        publish = task(task_id="publish", trigger_rule="all_done")(work.publish)

        @dag(schedule=cron("0 6 * * *", tz="Europe/Berlin"), start=date(2024, 1, 1), end=date(2024, 12, 31),
            deadline=by("08:00"), params={"region": "eu", "rows": field(int, minimum=1, description="at least one")},
            catchup="all", overlap="skip", previous=True, clock="warn", outcome="leaves", max_active_runs=2,
            max_active_tasks=3, tags=["sales"])
        def twin():
            '''Sales of a day.'''
            rows = extract(param("region"), "{{ logical_date }}")
            step(clean([rows, 1, {"x": param("rows")}], table="gold")) >> publish()
        """,
    ),
    "waits": (
        """
        dag: twin
        schedule: {every: 1h}
        tasks:
          arrived: {wait_for_file: "in/{{ logical_date }}.csv", every: 10s, timeout: 1h}
          hourly: {wait_for_dag: clicks, shift: -1h, task: load, if_any: true}
          daily: {wait_for_dag: rates, last: 7}
          partner: {sensor: "work:ready", every: 1m, timeout: 6h, with: {partner: acme}}
          ask: {approval: "Publish it?", timeout: 1d, no: fail, after: [arrived, hourly, daily, partner]}
          other: {run_dag: load_partner, wait: false, with: {partner: acme}, after: ask}
        """,
        """
        ready = sensor(every="1m", timeout="6h")(work.ready)
        @dag(schedule=every("1h"))
        def twin():
            arrived = wait_for_file("in/{{ logical_date }}.csv", every="10s", timeout="1h", task_id="arrived")
            hourly = wait_for_dag("clicks", shift="-1h", task="load", if_any=True, task_id="hourly")
            daily = wait_for_dag("rates", last=7, task_id="daily")
            partner = ready.named("partner")("acme")
            ask = approval("Publish it?", timeout="1d", no="fail", task_id="ask")
            [arrived, hourly, daily, partner] >> ask
            ask >> run_dag("load_partner", wait=False, partner="acme", task_id="other")
        """,
    ),
    "branches, conditions and groups": (
        """
        dag: twin
        tasks:
          extract: {run: "work:extract", with: {region: eu}}
          choose: {branch: "work:choose", with: {rows: {$output: extract}}}
          clean: {run: "work:clean", with: {rows: {$output: extract}}, after: choose}
          load:
            after: choose
            group:
              fetch: {run: "work:fetch", with: {url: x}}
              good: {short_circuit: "work:good", with: {rows: {$output: fetch}}}
              publish: {run: "work:publish", after: good}
          publish: {run: "work:publish", after: {clean: failed, load.fetch: [skipped, succeeded], load: }}
        """,
        """
        choose = branch(work.choose)
        good = short_circuit(work.good)
        @dag
        def twin():
            rows = extract("eu")
            chosen = choose(rows)
            cleaned = clean(rows)
            step(chosen) >> step(cleaned)
            with group("load") as load:
                page = fetch("x")
                step(good(page)) >> publish()
            step(chosen) >> load
            last = publish()
            step(cleaned).on("failed") >> last
            step(page).on("succeeded", "skipped") >> last
            load >> last
        """,
    ),
    "scopes": (
        """
        dag: twin
        params: {urls: [a, b]}
        tasks:
          partners: {run: "work:partners"}
          partner:
            each:
              over: {$output: partners}
              limit: 5
              max_active: 2
              tasks:
                fetch: {run: "work:fetch", with: {url: {$item: partner}}}
                clean: {run: "work:clean", with: {rows: {$output: fetch}}}
          publish: {run: "work:publish", with: {rows: {$gathered: partner.clean}}}
          mapped:
            run: work:extract
            with: {day: today}
            expand: {over: {region: {$param: urls}}, limit: 7, max_active: 3}
          zipped: {run: "work:extract", expand: {over: {region: [1, 2], day: [3, 4]}, pairing: zip}}
          pages:
            loop:
              start: "/page=1"
              limit: 9
              until: is_last
              carry: next_url
              tasks:
                fetch: {run: "work:fetch", with: {url: {$turn: value}}}
                is_last: {run: "work:is_last", with: {page: {$output: fetch}}}
                next_url: {run: "work:next_url", with: {page: {$output: fetch}}}
        """,
        """
        @dag(params={"urls": ["a", "b"]})
        def twin():
            with each("partner", over=partners(), limit=5, max_active=2) as partner:
                rows = clean(fetch(partner))
            publish(gathered(rows))
            extract.named("mapped").bounded(limit=7, max_active=3).partial(day="today").expand(region=param("urls"))
            extract.named("zipped").expand_zip(region=[1, 2], day=[3, 4])
            with loop("pages", start="/page=1", limit=9) as turn:
                page = fetch(turn.value)
                turn.until(is_last(page), carry=next_url(page))
        """,
    ),
    "setup and teardown": (
        """
        dag: twin
        tasks:
          start: {run: "work:start"}
          stop: {run: "work:stop", with: {cluster: {$output: start}}}
          training:
            guarded:
              setup: [start]
              teardown: [stop]
              tasks:
                clean: {run: "work:clean", with: {rows: {$output: start}}}
                publish: {run: "work:publish", with: {rows: {$output: clean}}}
        """,
        """
        @dag
        def twin():
            cluster = start()
            with guarded(setup=cluster, teardown=stop(cluster)):
                publish(clean(cluster))
        """,
    ),
    "steps that are written before those they need": (
        """
        dag: twin
        tasks:
          publish: {run: "work:publish", with: {rows: {$output: clean}}}
          clean: {run: "work:clean", with: {rows: {$output: extract}}}
          extract: {run: "work:extract", with: {region: eu}}
        """,
        """
        @dag
        def twin():
            publish(clean(extract("eu")))
        """,
    ),
}


SCHEDULES = {
    '{cron: "0 6 * * *"}': 'cron("0 6 * * *")',
    '{cron: ["0 6 * * 1-5", "0 9 * * 6"], tz: Europe/Berlin, gap: skip, fold: both}': """
        cron(["0 6 * * 1-5", "0 9 * * 6"], tz="Europe/Berlin", gap="skip", fold="both")""",
    '{cron: "30 2 * * *", tz: Australia/Lord_Howe, fold: second}': """
        cron("30 2 * * *", tz="Australia/Lord_Howe", fold="second")""",
    "{every: 1d, offset: 6h}": 'every("1d", offset="6h")',
    "{every: 90}": "every(90)",
    '{calendar: {cron: "0 6 * * *", tz: Europe/Berlin}, dates: [2025-12-25], weekdays: [saturday, sunday]}': """
        calendar(cron("0 6 * * *", tz="Europe/Berlin"), dates=[date(2025, 12, 25)], weekdays=["saturday", "sunday"])""",
    '{calendar: {cron: "0 6 * * *"}}': 'calendar(cron("0 6 * * *"))',
    "{moments: [2025-01-01, 2025-04-01T06:30:00, 2025-07-01T00:00:00+05:30], tz: Europe/Berlin}": """
        moments([datetime(2025, 1, 1), datetime(2025, 4, 1, 6, 30),
            datetime(2025, 7, 1, tzinfo=timezone(timedelta(hours=5.5)))], tz="Europe/Berlin")""",
    "{moments: [2025-01-01T00:00, 2025-01-02T00:00]}": "moments([datetime(2025, 1, 1), datetime(2025, 1, 2)])",
    "{continuous: {at_least: 5m}}": 'continuous(at_least="5m")',
    "{continuous: {}}": "continuous()",
    "{after: clicks, each: {every: 1h}}": 'after("clicks", each=every("1h"))',
    "{after: [clicks, prices], each: {calendar: {cron: 0 0 * * *, tz: Europe/Berlin}, dates: [2025-12-25]}}": """
        after("clicks", "prices", each=calendar(cron("0 0 * * *", tz="Europe/Berlin"), dates=[date(2025, 12, 25)]))""",
}


def test_every_kind_of_schedule_has_its_twin() -> None:
    assert {kind for kind in WORDS if any(f"{{{kind}: " in twin for twin in SCHEDULES)} == set(WORDS)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_in_yaml_and_its_twin_in_python_are_the_same_bytes(schedule: str) -> None:
    in_yaml = f"dag: twin\nschedule: {schedule}\ntasks:\n  partners: {{run: work:partners}}\n"
    in_python = f"@dag(schedule={SCHEDULES[schedule].strip()})\ndef twin(): partners()\n"
    (of_yaml,) = specs("/dags/twin.dag.yaml", in_yaml)
    (of_python,) = specs("/dags/twin.py", PYTHON + in_python)
    assert canonical(of_yaml) == canonical(of_python)


@pytest.mark.parametrize("twin", TWINS)
def test_a_dag_in_yaml_and_its_twin_in_python_are_the_same_bytes(twin: str) -> None:
    in_yaml, in_python = TWINS[twin]
    (of_yaml,) = specs("/dags/twin.dag.yaml", dedent(in_yaml))
    (of_python,) = specs("/dags/twin.py", PYTHON + dedent(in_python))
    assert of_yaml == of_python
    assert canonical(of_yaml) == canonical(of_python)


def test_for_each_in_yaml_is_a_loop_in_python() -> None:
    code = """
    for_each: {item: partner, in: partners.json}
    dag: load_${partner.id}
    tasks:
      extract: {run: "work:extract", with: {region: "${partner.region}", day: "${partner.days}"}}
    """
    partners = b'[{"id": "acme", "region": "eu", "days": [1, 2]}, {"id": "globex", "region": "us", "days": []}]'
    found = specs("/dags/x.dag.yaml", dedent(code), ("./partners.json", "/dags/partners.json", partners))
    python = f"""
for partner in {partners.decode()}:
    @dag(dag_id=f"load_{{partner['id']}}")
    def load():
        extract(partner["region"], partner["days"])
"""
    assert [canonical(spec) for spec in found] == [canonical(spec) for spec in specs("/dags/x.py", PYTHON + python)]


def test_the_function_is_imported_when_it_is_called_and_not_before() -> None:
    code = b"dag: twin\ntasks:\n  ready: {run: 'odd:ready', with: {partner: acme}}\n"
    module = b"from ostinato import Context\ndef ready(ctx: Context, partner): return [ctx.dag_id, partner]\n"
    modules = (("odd", "/dags/odd.py", module),)
    loaded = load_source(Source("/dags/x.dag.yaml", code, modules))
    assert "odd" not in sys.modules
    call = Call(
        dag_id="twin",
        version="v1",
        file="/dags/x.dag.yaml",
        task_no=0,
        task_id="ready",
        attempt=1,
        run_id=7,
        number=1,
        start=0,
        end=86_400_000,
        params=encode({}),
        kwargs=(("partner", encode("acme")),),
    )
    performed = perform(loaded, call)
    assert performed.output == encode(["twin", "acme"])
    assert "odd" in sys.modules
