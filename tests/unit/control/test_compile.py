"""Compiling a dag file in a child process: whatever is in the file, what comes back is a value."""

import os
import select
import socket
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from ostinato.control.compilation import Compilation
from ostinato.control.compile import compile_file
from ostinato.control.file_mark import unchanged
from ostinato.model.canonical import canonical, digest
from ostinato.model.limits import Limits
from ostinato.model.spec import CompiledDag, DagSpec, Source

DAG = """\
from ostinato import cron, dag, task

@task
def load(path: str) -> int:
    return 1

@dag(schedule=cron("0 6 * * *"))
def daily() -> None:
    load("a")
"""


def compiled(tmp_path: Path, code: str, limits: Limits | None = None) -> Compilation:
    """What a file with this code comes to."""
    file = tmp_path / "flights.py"
    file.write_text(dedent(code))
    return compile_file(file, limits or Limits())


def one_problem(compilation: Compilation) -> tuple[str, str]:
    """The code and text of the one problem."""
    (problem,) = compilation.problems
    assert compilation.dags == ()
    return problem.code, problem.what


def test_a_file_comes_to_its_dags(tmp_path: Path) -> None:
    found = compiled(tmp_path, DAG)
    (daily,) = found.dags
    file = str(tmp_path / "flights.py")
    assert found.problems == ()
    assert found.source == Source(file, DAG.encode())
    assert daily.spec.dag_id == "daily"
    assert (daily.file, daily.source) == (file, digest(canonical(found.source)))
    assert daily.version == digest(canonical(daily.spec), daily.source.encode())


def versions(compilation: Compilation) -> list[str]:
    return [dag.version for dag in compilation.dags]


def test_compiling_twice_gives_the_same_version(tmp_path: Path) -> None:
    generated = DAG.replace('load("a")', 'load(str(sorted({"b", "c"})) + str({"x", "y", "z"}))')
    assert versions(compiled(tmp_path, generated)) == versions(compiled(tmp_path, generated))


@pytest.mark.parametrize(
    "change",
    [("return 1", "return 2"), ('load("a")', 'load("b")'), ("0 6 * * *", "0 7 * * *"), ("\n\n", "\n\n# why\n")],
)
def test_a_change_anywhere_in_the_file_changes_the_version(tmp_path: Path, change: tuple[str, str]) -> None:
    assert versions(compiled(tmp_path, DAG)) != versions(compiled(tmp_path, DAG.replace(*change, 1)))


def test_local_modules_belong_to_the_source_also_those_that_tasks_import_when_they_run(tmp_path: Path) -> None:
    (tmp_path / "lib" / "deep").mkdir(parents=True)
    (tmp_path / "lib" / "__init__.py").write_text("")
    (tmp_path / "lib" / "deep" / "__init__.py").write_text("def f():\n    from . import late\n")
    (tmp_path / "lib" / "deep" / "late.py").write_text("import plain")
    (tmp_path / "helpers.py").write_text("NAME = 1")
    (tmp_path / "plain.py").write_text("")
    (tmp_path / "unrelated.py").write_text("")
    code = "import helpers, json\n" + DAG.replace("return 1", "import lib.deep")
    found = compiled(tmp_path, code)
    assert [name for name, _, _ in found.source.modules] == ["helpers", "lib", "lib.deep", "lib.deep.late", "plain"]
    assert found.source.modules[0] == ("helpers", str(tmp_path / "helpers.py"), b"NAME = 1")
    (tmp_path / "lib" / "deep" / "late.py").write_text("import plain # changed")
    assert versions(compiled(tmp_path, code)) != versions(found)


def test_an_installed_environment_below_the_folder_is_not_the_authors_code(tmp_path: Path) -> None:
    packages = tmp_path / ".venv" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "installed.py").write_text("")
    found = compiled(tmp_path, f"import sys\nsys.path.append({str(packages)!r})\nimport installed\n" + DAG)
    assert len(found.dags) == 1
    assert found.source.modules == ()


def test_a_file_without_dags_has_none_and_is_fine(tmp_path: Path) -> None:
    found = compiled(tmp_path, "x = 1\n")
    assert (found.dags, found.problems) == ((), ())


def test_many_dags_come_from_one_file(tmp_path: Path) -> None:
    code = DAG + "for n in range(500):\n    @dag(dag_id=f'd{n}')\n    def d() -> None:\n        load(str(n))\n"
    found = compiled(tmp_path, code)
    assert [dag.spec.dag_id for dag in found.dags] == ["daily", *(f"d{n}" for n in range(500))]
    assert len({dag.version for dag in found.dags}) == 501
    assert all(isinstance(dag, CompiledDag) and isinstance(dag.spec, DagSpec) for dag in found.dags)


def test_arguments_that_are_no_json_arrive_as_they_are(tmp_path: Path) -> None:
    code = "from datetime import date\n" + DAG.replace('load("a")', "load({1: date(2024, 1, 31), 'a': b'x'})")
    found = compiled(tmp_path, code)
    assert found.problems == ()
    again = compiled(tmp_path, code)
    assert versions(found) == versions(again)


def test_with_problems_there_are_no_dags_at_all(tmp_path: Path) -> None:
    found = compiled(tmp_path, DAG + "@dag(deadline=1)\ndef other() -> None:\n    load('{{ x }}')\n")
    assert found.dags == ()
    assert [(problem.code, problem.line) for problem in found.problems] == [("OST-134", 10), ("OST-141", 12)]
    assert {problem.file for problem in found.problems} == {str(tmp_path / "flights.py")}


def test_a_cycle_is_found_beside_other_problems(tmp_path: Path) -> None:
    from_here = (
        "@dag\ndef other() -> None:\n    a = load.named('x')('a')\n    step(load(a)) >> step(a)\n    load('{{ x }}')\n"
    )
    found = compiled(tmp_path, "from ostinato import step\n" + DAG + from_here)
    assert {problem.code for problem in found.problems} == {"OST-112", "OST-120", "OST-141"}


def test_waiting_for_intervals_that_can_never_be_is_a_problem(tmp_path: Path) -> None:
    other = """
from ostinato import every, wait_for_dag
@dag(schedule=every("1h"))
def hourly() -> None:
    wait_for_dag("daily")
    wait_for_dag("elsewhere")
"""
    found = compiled(tmp_path, DAG + other)
    (problem,) = found.problems
    assert (problem.code, problem.line) == ("OST-177", 14)
    assert "'wait_for_daily' can never begin" in problem.what


def test_a_dag_that_never_runs_after_what_it_names_is_a_problem_where_it_is_defined(tmp_path: Path) -> None:
    other = """
from ostinato import after, every
@dag(schedule=every("1d"))
def by_day() -> None:
    load("a")
@dag(schedule=after("by_day", "elsewhere", each=every("1h")))
def hourly() -> None:
    load("a")
@dag(schedule=after("two", each=every("1h")))
def one() -> None:
    load("a")
@dag(schedule=after("one", each=every("1h")))
def two() -> None:
    load("a")
"""
    found = [(problem.code, problem.line, problem.what) for problem in compiled(tmp_path, DAG + other).problems]
    circle = "dags run after each other in a circle"
    assert [(code, line) for code, line, _ in found] == [("OST-177", 15), ("OST-154", 18), ("OST-154", 21)]
    assert found[0][2].startswith("a run of 'hourly' can never begin:")
    assert [what for *_, what in found[1:]] == [f"{circle}: one → two → one", f"{circle}: two → one → two"]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ("", "'rows' must be given (integer)"),
        ("rows=1, row=2", "there is no parameter 'row' (did you mean 'rows'?)"),
        ("rows='many'", "'rows' is of type integer, not 'many'"),
        ("rows=0", "rows: 0 is less than the minimum of 1"),
        ("rows=load('a'), row=load.named('b')('b')", "there is no parameter 'row' (did you mean 'rows'?)"),
        ("rows=load('a')", None),
        ("rows=3", None),
    ],
)
def test_calling_a_dag_with_parameters_that_do_not_fit_is_a_problem(
    tmp_path: Path, given: str, wrong: str | None
) -> None:
    other = f"""
from ostinato import field, run_dag
@dag(params={{"rows": field(int, minimum=1)}})
def called() -> None:
    load("a")
@dag
def calling() -> None:
    run_dag("called", {given})
"""
    found = [(problem.code, problem.line, problem.what) for problem in compiled(tmp_path, DAG + other).problems]
    what = f"'run_called' calls 'called' with parameters that do not fit: {wrong}"
    assert found == ([] if wrong is None else [("OST-178", 17, what)])


def test_text_that_is_no_unicode_is_a_problem(tmp_path: Path) -> None:
    code = DAG + "@dag(tags=['\\ud800'])\ndef odd() -> None:\n    load('a')\n"
    found = compiled(tmp_path, code)
    assert [problem.code for problem in found.problems] == ["OST-123"]


# --- what is no dag file --------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert one_problem(compile_file(tmp_path / "gone.py")) == (
        "OST-101",
        "the file cannot be read: No such file or directory",
    )
    assert one_problem(compile_file(tmp_path / "no" / "gone.py"))[0] == "OST-101"


def test_a_folder_a_pipe_or_a_device_is_no_dag_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    for path in (tmp_path, tmp_path / "pipe.py", Path("/dev/zero")):
        assert one_problem(compile_file(path)) == ("OST-101", f"the file cannot be read: {path.name} is not a file")


def test_a_file_that_cannot_be_reached_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    what = "the file cannot be read: Too many levels of symbolic links"
    assert one_problem(compile_file(tmp_path / "loop.py")) == ("OST-101", what)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x = '\xff'", b"\x00\x01\x02", b"PK\x03\x04" + bytes(range(256))])
def test_what_is_no_text_is_a_problem(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "binary.py").write_bytes(content)
    assert one_problem(compile_file(tmp_path / "binary.py"))[0] in {"OST-101", "OST-102"}


@pytest.mark.parametrize(
    "name", ["spaces and ünïcode.py", "-rf.py", "json.py", "ostinato.py", "os.py", "2024.py", "noext"]
)
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(DAG)
    found = compile_file(tmp_path / name)
    assert found.problems == ()
    assert found.dags[0].file == str(tmp_path / name)


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flights.py").write_text(DAG)
    monkeypatch.chdir(tmp_path)
    assert compile_file(Path("flights.py")).dags[0].file == str(tmp_path / "flights.py")


# --- what the code may do -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1 / 0", ("OST-103", "importing it raised ZeroDivisionError: division by zero")),
        ("x = (", ("OST-102", "this is not valid Python: '(' was never closed")),
        ("import sys; sys.exit(7)", ("OST-103", "importing it called sys.exit(7)")),
        ("class E(BaseException): ...\nraise E('odd')", ("OST-103", "importing it raised E: odd")),
        ("import os; os._exit(7)", ("OST-106", "importing it ended the process, with exit code 7")),
        ("import os; os.abort()", ("OST-106", "importing it ended the process: Aborted")),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            ("OST-106", "importing it ended the process: Killed"),
        ),
        (
            "x = '(' * 20_000; compile(x, 'x', 'eval')",
            ("OST-103", "importing it raised SyntaxError: too many nested parentheses"),
        ),
        ("def f(): f()\nf()", ("OST-103", "importing it raised RecursionError: maximum recursion depth exceeded")),
        ("import os; os.closerange(3, 10_000)", ("OST-106", "importing it ended the process, with exit code 1")),
    ],
)
def test_whatever_ends_the_import_is_a_problem(tmp_path: Path, code: str, expected: tuple[str, str]) -> None:
    code_found, what = one_problem(compiled(tmp_path, DAG + code))
    assert (code_found, what.partition(" (")[0]) == expected


def test_a_file_that_takes_too_long_is_stopped_at_the_line_where_it_is(tmp_path: Path) -> None:
    found = compiled(tmp_path, DAG + "while True:\n    pass\n", Limits(compile_s=0.3))
    (problem,) = found.problems
    assert (problem.code, problem.what) == ("OST-104", "importing it took longer than 0.3 seconds")
    assert problem.line in {10, 11}


def test_a_file_that_waits_is_stopped_too(tmp_path: Path) -> None:
    found = compiled(tmp_path, "import socket\na, b = socket.socketpair()\na.recv(1)\n", Limits(compile_s=0.3))
    assert [(problem.code, problem.line) for problem in found.problems] == [("OST-104", 3)]


def test_a_file_that_does_not_let_itself_be_stopped_is_killed(tmp_path: Path) -> None:
    code = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nsignal.pause()\n"
    found = compiled(tmp_path, code, Limits(compile_s=0.3))
    assert one_problem(found) == ("OST-104", "importing it took longer than 0.3 seconds")


@pytest.mark.parametrize("code", ["x = bytearray(1 << 30)", "x = []\nwhile True:\n    x.append(bytes(1 << 20))"])
def test_a_file_that_takes_too_much_memory_is_stopped(tmp_path: Path, code: str) -> None:
    found = compiled(tmp_path, DAG + code, Limits(compile_bytes=200 << 20))
    assert one_problem(found) == ("OST-105", "importing it took more memory than a dag file may take")


def test_what_a_file_prints_does_not_disturb(tmp_path: Path) -> None:
    code = """
    import os, sys
    print("hello")
    print("there", file=sys.stderr)
    for descriptor in range(1, 1000):
        try:
            os.write(descriptor, b"garbage" * 100)
        except OSError:
            pass
    sys.stdout = sys.stderr = None
    """
    found = compiled(tmp_path, DAG + dedent(code))
    assert found.problems == ()
    assert len(found.dags) == 1
    assert found.output.startswith("hello\nthere\n") or "there\n" in found.output


def test_of_huge_output_the_end_is_kept(tmp_path: Path) -> None:
    found = compiled(tmp_path, DAG + "for n in range(20_000):\n    print('line', n)\n")
    assert len(found.dags) == 1
    assert len(found.output) <= 64 << 10
    assert found.output.endswith("line 19999\n")


def test_there_is_nothing_to_read_from_the_keyboard(tmp_path: Path) -> None:
    code, what = one_problem(compiled(tmp_path, "input('name? ')"))
    assert (code, what) == ("OST-103", "importing it raised EOFError: EOF when reading a line")


def test_settings_of_the_control_plane_are_not_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSTINATO_PAGERDUTY_KEY", "secret")
    monkeypatch.setenv("BUCKET", "raw")
    found = compiled(
        tmp_path, "import os\nprint(sorted(n for n in os.environ if n.startswith('OST')), os.environ['BUCKET'])\n"
    )
    assert found.output == "[] raw\n"


def test_files_beside_the_dag_file_are_opened_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "partners.txt").write_text("a\nb\n")
    code = DAG + "for name in open('partners.txt').read().split():\n    dag(dag_id=name)(daily.function)\n"
    assert [dag.spec.dag_id for dag in compiled(tmp_path, code).dags] == ["daily", "a", "b"]


def is_ended(pid: int) -> bool:
    """Whether a process is gone; one that was killed may take a moment."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], 5)[0])
    finally:
        os.close(watched)


@pytest.mark.parametrize("end", ["", "1 / 0", "import os; os._exit(0)", "while True: pass"])
def test_processes_that_a_file_starts_do_not_outlive_it(tmp_path: Path, end: str) -> None:
    code = """
    import os, subprocess, sys
    sleeper = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    print(sleeper.pid, flush=True)
    """
    found = compiled(tmp_path, DAG + dedent(code) + end, Limits(compile_s=2.0))
    assert is_ended(int(found.output.split()[0]))


def test_a_file_that_forks_is_compiled_once(tmp_path: Path) -> None:
    found = compiled(tmp_path, DAG + "import os\nos.fork()\nos.fork()\n")
    assert found.problems == ()
    assert len(found.dags) == 1


def test_threads_of_a_file_do_not_keep_it_alive(tmp_path: Path) -> None:
    code = "import threading\nthreading.Thread(target=threading.Event().wait).start()\n"
    assert len(compiled(tmp_path, DAG + code).dags) == 1


def test_handlers_that_a_file_leaves_behind_are_not_run(tmp_path: Path) -> None:
    code = "import atexit\natexit.register(lambda: print('at exit'))\n"
    assert compiled(tmp_path, DAG + code).output == ""


def test_no_descriptor_of_the_caller_is_inherited(tmp_path: Path) -> None:
    left, right = socket.socketpair()
    with left, right:
        os.set_inheritable(right.fileno(), True)
        code = """
        import os
        for number in range(3, 500):
            try:
                print(os.readlink(f"/proc/self/fd/{number}"))
            except OSError:
                pass
        """
        assert "socket" not in compiled(tmp_path, code).output


def test_compiling_imports_nothing_of_the_file_here(tmp_path: Path) -> None:
    compiled(tmp_path, DAG)
    assert "flights" not in sys.modules


def test_the_child_imports_no_database_and_no_event_loop(tmp_path: Path) -> None:
    code = "import sys\nprint([m for m in ('sqlalchemy', 'asyncio', 'typer', 'httpx', 'subprocess', 'logging') if m in sys.modules])\n"
    assert compiled(tmp_path, code).output == "[]\n"


# --- whether to compile again ---------------------------------------------------------------------------------------


def test_what_did_not_change_needs_no_compiling(tmp_path: Path) -> None:
    found = compiled(tmp_path, DAG)
    assert unchanged(found.files) == found.files


def test_a_file_that_was_only_touched_is_unchanged(tmp_path: Path) -> None:
    found = compiled(tmp_path, DAG)
    os.utime(tmp_path / "flights.py", ns=(1, 1))
    again = unchanged(found.files)
    assert again is not None
    assert again != found.files
    assert unchanged(again) == again


def test_a_changed_local_module_or_data_file_or_folder_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "helpers.py").write_text("X = 1")
    (tmp_path / "late.py").write_text("X = 1")
    (tmp_path / "partners.json").write_text("[]")
    (tmp_path / "conf").mkdir()
    code = "import json, os\nfrom lib import helpers\njson.load(open('partners.json'))\nos.listdir('conf')\n"
    code += "def f():\n    import late\n" + DAG
    for path, content in [
        ("flights.py", code + "#"),
        ("lib/helpers.py", "X = 2"),
        ("late.py", "X = 2"),
        ("partners.json", "{}"),
        ("conf/new.yaml", ""),
    ]:
        found = compiled(tmp_path, code)
        assert found.problems == ()
        assert unchanged(found.files) is not None
        (tmp_path / path).write_text(content)
        assert unchanged(found.files) is None, path


def test_a_file_that_appears_or_goes_is_noticed(tmp_path: Path) -> None:
    missing = compile_file(tmp_path / "flights.py")
    assert unchanged(missing.files) == missing.files
    (tmp_path / "flights.py").write_text(DAG)
    assert unchanged(missing.files) is None
    there = compile_file(tmp_path / "flights.py")
    (tmp_path / "flights.py").unlink()
    assert unchanged(there.files) is None


def test_a_missing_module_that_appears_is_noticed(tmp_path: Path) -> None:
    for name in ("helpers", "lib.deep"):
        found = compiled(tmp_path, f"import {name}\n" + DAG)
        assert one_problem(found)[0] == "OST-103"
        assert unchanged(found.files) is not None
        place = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        place.parent.mkdir(exist_ok=True)
        place.write_text("")
        assert unchanged(found.files) is None
        assert compiled(tmp_path, f"import {name}\n" + DAG).problems == ()


def test_a_file_that_was_stopped_is_not_tried_again_until_it_changes(tmp_path: Path) -> None:
    found = compiled(tmp_path, "import os; os._exit(1)")
    assert unchanged(found.files) == found.files
    (tmp_path / "flights.py").write_text(DAG)
    assert unchanged(found.files) is None


def test_what_a_file_writes_is_not_what_it_depends_on(tmp_path: Path) -> None:
    found = compiled(tmp_path, DAG + "open('log.txt', 'a').write('x')\n")
    assert [Path(file.path).name for file in found.files] == ["flights.py"]


def test_the_command_line_of_the_child_is_not_seen_by_the_file(tmp_path: Path) -> None:
    assert compiled(tmp_path, "import sys\nprint(len(sys.argv))\n").output == "1\n"


def test_a_limit_of_descriptors_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "flights.py").write_text(DAG)
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        "from pathlib import Path; from ostinato.control.compile import compile_file\n"
        f"print(len(compile_file(Path({str(tmp_path / 'flights.py')!r})).dags))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_a_list_that_a_dag_in_yaml_is_made_for_is_a_part_of_its_version(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text("raise SystemExit('imported')\ndef load(): ...\n")
    (tmp_path / "partners.json").write_text('["acme"]')
    file = tmp_path / "partners.dag.yaml"
    file.write_text("for_each: {item: p, in: partners.json}\ndag: load_${p}\ntasks: {load: {run: 'work:load'}}\n")
    first = compile_file(file, Limits())
    assert [dag.spec.dag_id for dag in first.dags] == ["load_acme"]
    assert [name for name, _, _ in first.source.modules] == ["./partners.json", "work"]
    assert unchanged(first.files)
    (tmp_path / "partners.json").write_text('["acme", "globex"]')
    assert not unchanged(first.files)
    second = compile_file(file, Limits())
    assert [dag.spec.dag_id for dag in second.dags] == ["load_acme", "load_globex"]
    assert second.dags[0].version != first.dags[0].version
