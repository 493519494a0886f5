"""Branches and short circuits: what they may choose from, and what comes of what they return."""

import pytest

from ostinato.authoring.perform import Performed, perform
from ostinato.model.message import Call
from ostinato.model.value import encode
from tests.unit.authoring.files import loaded, only_problem, spec

DEFINITION = """
@{kind}
def pick():
    return {answer}

@task
def t() -> None: ...

@task
def items() -> list[int]:
    return [1]

@task
def one(n: int) -> int:
    return n

@dag
def d() -> None:
    chosen = step(pick())
    a, b, later, clean = [t.named(x)() for x in ("a", "b", "later", "clean")]
    with group("g") as g:
        inner, other = t.named("x")(), t.named("y")()
        inner >> t.named("z")()
    with each("part", over=items()) as n:
        one.named("first")(one(n))
    mapped = one.named("mapped").expand(n=items.named("more")())
    chosen >> [a, b, g, step(n), step(mapped)]
    a >> later
    with guarded(setup=a, teardown=clean):
        pass
    chosen >> clean
"""
PART = ("part", "part.one", "part.first")


def answered(kind: str, answer: str) -> Performed:
    call = Call("d", "v", "/dags/example.py", 0, "pick", 1, 1, 1, 0, 86_400_000, encode({}))
    return perform(loaded(DEFINITION.format(kind=kind, answer=answer)), call)


@pytest.mark.parametrize(
    ("answer", "follow"),
    [
        ("'a'", ("a", "clean")),
        ("['b', 'a', 'b']", ("b", "a", "clean")),
        ("()", ("clean",)),
        ("'g'", ("g.x", "g.y", "clean")),
        ("'g.y'", ("g.y", "clean")),
        ("'part'", (*PART, "clean")),
        ("'mapped'", ("mapped", "clean")),
    ],
)
def test_what_a_branch_names_goes_on_and_a_teardown_in_any_case(answer: str, follow: tuple[str, ...]) -> None:
    done = answered("branch", answer)
    assert done.verdict == "success"
    assert done.follow is not None
    assert sorted(done.follow) == sorted(follow)


def test_what_a_branch_returned_is_its_output() -> None:
    assert answered("branch", "'a'").output == encode("a")


@pytest.mark.parametrize("answer", ["'nosuch'", "'later'", "'g.z'", "['a', 'later']"])
def test_only_what_comes_right_after_a_branch_can_be_chosen(answer: str) -> None:
    done = answered("branch", answer)
    assert done.verdict == "failed"
    assert done.follow is None
    assert done.failure is not None
    assert "right after it come 'a', 'b', 'g.x', 'g.y', 'part', 'mapped'" in done.failure.message


@pytest.mark.parametrize("answer", ["None", "3", "[3]", "{'a': 1}"])
def test_a_branch_answers_with_ids(answer: str) -> None:
    done = answered("branch", answer)
    assert done.failure is not None
    assert done.failure.message.startswith("a branch returns the id of a step or a list of ids")


def test_after_a_yes_everything_goes_on_and_after_a_no_only_teardowns() -> None:
    assert answered("short_circuit", "True").follow == ("a", "b", "g.x", "g.y", *PART, "mapped", "clean")
    assert answered("short_circuit", "False").follow == ("clean",)


@pytest.mark.parametrize("answer", ["None", "1", "'yes'"])
def test_a_short_circuit_answers_yes_or_no(answer: str) -> None:
    done = answered("short_circuit", answer)
    assert done.verdict == "failed"
    assert done.failure is not None
    assert done.failure.message.startswith("a short circuit answers True or False")


def test_a_branch_inside_of_a_block_chooses_among_the_steps_of_its_block() -> None:
    text = """
    @branch
    def pick(n: int) -> str:
        return "p.a"

    @task
    def t() -> None: ...

    @dag
    def d() -> None:
        with each("p", over=[1]) as n:
            picked = step(pick(n))
            picked >> [t.named("a")(), t.named("b")()]
        picked >> t()
    """
    call = Call("d", "v", "", 0, "p.pick", 1, 1, 1, 0, 86_400_000, encode({}), kwargs=(("n", encode(1)),), map_index=0)
    assert perform(loaded(text), call).follow == ("p.a",)


def test_a_block_over_what_a_branch_returned_comes_right_after_it() -> None:
    text = """
    @branch
    def pick() -> list[str]:
        return ["p"]

    @dag
    def d() -> None:
        with each("p", over=pick()) as name:
            load(name)
    """
    call = Call("d", "v", "", 0, "pick", 1, 1, 1, 0, 86_400_000, encode({}))
    assert perform(loaded(text), call).follow == ("p", "p.load")


@pytest.mark.parametrize("kind", ["branch", "short_circuit"])
def test_what_chooses_has_something_to_choose_from(kind: str) -> None:
    problem = only_problem(f"@{kind}\ndef pick() -> bool: return True\n\n@dag\ndef d() -> None:\n    pick()\n")
    assert (problem.code, problem.line) == ("OST-162", 6)


def test_a_step_outside_of_its_block_is_nothing_that_a_branch_could_choose() -> None:
    text = """
    @branch
    def pick(n: int) -> str: return "t"
    @task
    def t() -> None: ...
    @dag
    def d() -> None:
        with each("p", over=[1]) as n:
            picked = pick(n)
        step(picked) >> t()
    """
    assert only_problem(text).code == "OST-162"


def test_the_kind_is_kept() -> None:
    text = "@{0}(pool='x')\ndef p() -> bool: return True\n@dag\ndef d() -> None:\n    step(p()) >> step(load('a'))\n"
    for kind in ("branch", "short_circuit"):
        made = spec(text.format(kind)).tasks[0]
        assert (made.kind, made.pool) == (kind, "x")
