"""Where the code of tasks asks the clock or chance, so that running it twice does not give what running it once gave."""

from ostinato.authoring.check import Collecting, Place
from ostinato.authoring.mistakes import Mistake
from ostinato.model.record import DagProblem
from ostinato.model.spec import Source

from .exempt import Exemptions, exemptions
from .names import Project
from .reach import Mention, Text, Unit, reached
from .sql import asked_by
from .table import ALTERNATIVE, ASKING, MEANS, SEEDS

_SQL_ALTERNATIVE = {
    "clock": "write what the run is for into the statement: '{{ logical_date }}', '{{ interval_start }}'",
    "chance": "make ids and samples of the data itself, for example of a hash of the key",
}


def lint(source: Source) -> tuple[DagProblem, ...]:
    """A warning for each place at which the tasks of a dag file, or what they call, ask the clock or chance.

    ``source`` is a file that could be compiled. Nothing is imported or run: a call through a variable that holds whatever
    function, or code in another language, is not seen.
    """
    sources = {source.file: source.code} | {path: code for _, path, code in source.modules}
    gathered = Collecting(source.file, sources)
    try:
        project = Project(source)
        units = reached(project)
        exempt = {path: exemptions(code) for path, code in sources.items()}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    for unit in units:
        _Judge(unit, gathered, exempt[unit.module.path]).judge()
    for path, found in exempt.items():
        for line in found.unreasoned:
            what, help = "this comment exempts nothing, since it gives no reason", "write `# clock ok: because ...`"
            gathered.add(Mistake.NO_REASON, what, help, Place(path, line), near="clock ok")
    return tuple(sorted(gathered.problems, key=lambda problem: (problem.file, problem.line, problem.column)))


class _Judge:
    """Looks at what one unit mentions."""

    def __init__(self, unit: Unit, gathered: Collecting, exempt: Exemptions) -> None:
        self._unit = unit
        self._gathered = gathered
        self._exempt = exempt
        self._seeded = tuple(SEEDS[one.name] for one in unit.mentions if one.name in SEEDS and one.arguments)

    def judge(self) -> None:
        """Add a warning for each mention and each text that asks."""
        for mention in self._unit.mentions:
            self._mention(mention)
        for text in self._unit.texts:
            self._text(text)

    def _mention(self, mention: Mention) -> None:
        asking = ASKING.get(mention.name)
        if asking is None or asking.is_seeded(self._seeded):
            return
        if asking.asks(mention.arguments) if mention.arguments is not None else asking.asks_by_itself:
            mistake = Mistake.ASKS_CLOCK if asking.kind == "clock" else Mistake.ASKS_CHANCE
            what = f"{asking.name} {MEANS[asking.kind]}"
            self._add(mistake, what, ALTERNATIVE[asking.kind], self._place(mention))

    def _text(self, text: Text) -> None:
        for asked in asked_by(text.text):
            clock = asked.kind == "clock"
            mistake = Mistake.SQL_ASKS_CLOCK if clock else Mistake.SQL_ASKS_CHANCE
            what = f"{asked.word} asks {'the clock of the database' if clock else 'the database for chance'}"
            self._add(mistake, what, _SQL_ALTERNATIVE[asked.kind], self._place(text), near=asked.word)

    def _place(self, what: Mention | Text) -> Place:
        node = what.node
        return Place(self._unit.module.path, node.lineno, node.col_offset + 1, node.end_lineno or node.lineno)

    def _add(self, mistake: Mistake, what: str, help: str, place: Place, near: str = "") -> None:
        if self._exempt.lines.isdisjoint(range(place.line, place.last_line + 1)):
            self._gathered.add(mistake, what, help, place, near)
