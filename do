#!/usr/bin/env python3
"""The one door to this repository: makes `.venv` what the locked requirements say, then does what was asked.

    python3 do demo     run the demonstration
    python3 do test     everything CI runs: check, then all tests (more words go to pytest, without the check)
    python3 do check    lint, format, types and import rules
    python3 do bench    measure (more words choose what: `bench P1 P2`)
    python3 do docs     write the generated pages under docs/reference anew
    python3 do lock     resolve requirements/*.lock anew

It needs Linux, Python 3.11 or newer, and a package index the first time. Nothing outside this folder is changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements"

CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("pyright", "--warnings"),
    ("lint-imports",),
)
LOCKS = {
    "demo": ("pyproject.toml", "--extra", "demo", "--group", "build"),
    "dev": (
        "pyproject.toml",
        "--extra",
        "demo",
        "--extra",
        "postgres",
        "--extra",
        "mysql",
        "--group",
        "dev",
        "--constraint",
        "requirements/demo.lock",
    ),
    "uv": ("--group", "uv", "--constraint", "requirements/dev.lock"),
}


def demo(words: list[str]) -> None:
    """Run the demonstration in the folder this was called from."""
    prepare("demo")
    os.execv(PYTHON, [str(PYTHON), "-m", "ostinato", "demo", *words])


def check(_words: list[str]) -> None:
    """Lint, format, types and import rules."""
    prepare("dev")
    failed: list[str] = []
    for tool, *rest in CHECKS:
        print("→", tool, *rest, flush=True)
        if subprocess.run([VENV / "bin" / tool, *rest], cwd=ROOT, check=False).returncode:
            failed.append(tool)
    if failed:
        sys.exit(f"not passed: {', '.join(failed)}")


def test(words: list[str]) -> None:
    """Everything, or with words of its own just pytest with those."""
    if not words:
        check([])
    prepare("dev")
    run(PYTHON, "-m", "pytest", *(words or ["-n", "auto"]))


def bench(words: list[str]) -> None:
    """The named measures, or all of them."""
    prepare("dev")
    run(PYTHON, "-m", "bench", *words)


def docs(_words: list[str]) -> None:
    """Write the generated pages anew."""
    prepare("dev")
    run(PYTHON, ROOT / "docs" / "generate.py")


def lock(words: list[str]) -> None:
    """Resolve the locks anew; `--upgrade` as a further word takes newer versions."""
    prepare("dev")
    form = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-annotate"]
    for name, what in LOCKS.items():
        written = [
            "--quiet",
            "--custom-compile-command",
            "python3 do lock",
            "--output-file",
            f"requirements/{name}.lock",
        ]
        run(VENV / "bin" / "uv", "pip", "compile", *what, *form, *written, *words)


VERBS = {verb.__name__: verb for verb in (demo, test, check, bench, docs, lock)}


def prepare(name: str) -> None:
    """Make `.venv` hold what the lock says and this project, unless its stamp says that it does."""
    if is_ready(name):
        return
    turn = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(turn, fcntl.LOCK_EX)  # two calls at once would install over each other
    if not is_ready(name):
        print(f"Setting up .venv from requirements/{name}.lock ...", flush=True)
        create()
        install(name)
        (VENV / f"ready-{name}").write_text(stamp(name))
    os.close(turn)


def is_ready(name: str) -> bool:
    """Whether `.venv` was made in this place from this lock, or from the larger one."""
    return any(read(VENV / f"ready-{lock}") == stamp(lock) for lock in {name, "dev"}) and PYTHON.exists()


def stamp(name: str) -> str:
    """What `.venv` depends on: the place it stands at, the lock and the project's own metadata."""
    content = hashlib.blake2b((REQUIREMENTS / f"{name}.lock").read_bytes())
    content.update((ROOT / "pyproject.toml").read_bytes())
    return f"{ROOT}\n{content.hexdigest()}\n"


def create() -> None:
    """An empty `.venv`, unless there is a sound one. One that was moved here is not: its scripts name the old place."""
    stamps = [read(path) for path in VENV.glob("ready-*")]
    if not PYTHON.exists() or any(text.partition("\n")[0] != str(ROOT) for text in stamps):
        run(sys.executable, "-m", "venv", "--clear", "--without-pip", VENV)


def install(name: str) -> None:
    """The locked packages and this project, by the first of these that can: uv, a uv of our own, pip."""
    os.environ.setdefault("UV_NATIVE_TLS", "true")  # a company's index may have a certificate of its own
    uv, pip = shutil.which("uv"), [PYTHON, "-m", "pip", "--disable-pip-version-check"]
    if uv and install_by([uv, "pip"], name):
        return
    if not succeeds(PYTHON, "-m", "ensurepip"):
        sys.exit(
            "This Python has no ensurepip. Install it (on Debian and Ubuntu the package python3-venv), or install uv."
        )
    own = succeeds(*pip, "install", "--quiet", "--no-deps", "--require-hashes", "-r", REQUIREMENTS / "uv.lock")
    if own and install_by([VENV / "bin" / "uv", "pip"], name):
        return
    if not install_by(pip, name):
        sys.exit("The packages could not be installed: see above. What was done so far is kept; call this again.")


def install_by(tool: list[str | Path], name: str) -> bool:
    """Whether `tool` could install everything. The lock is complete, so nothing is resolved and nothing else comes in."""
    where = ["--python", PYTHON] if Path(tool[0]).name == "uv" else []
    install = [*tool, "install", *where, "--quiet", "--no-deps"]
    locked = succeeds(*install, "--require-hashes", "-r", REQUIREMENTS / f"{name}.lock")
    return locked and succeeds(*install, "--no-build-isolation", "--editable", ROOT)


def read(path: Path) -> str:
    """The text of a file, empty if there is none."""
    return path.read_text() if path.exists() else ""


def succeeds(*command: str | Path) -> bool:
    """Whether a command ends well. What it complains about is shown."""
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode == 0


def run(*command: str | Path) -> None:
    """Do a command in the repository's folder; end with its exit code if it fails."""
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code:
        sys.exit(code)


def main() -> None:
    """Do what the first word says with the words after it."""
    if sys.version_info < (3, 11) or sys.platform != "linux":
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"Ostinato needs Python 3.11 or newer on Linux; this is Python {found} on {sys.platform}.")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # without compiled files every process imports for a second longer
    word, *words = sys.argv[1:] or ["--help"]
    if word in {"--help", "-h"}:
        print(__doc__)
    elif word in VERBS:
        VERBS[word](words)
    else:
        sys.exit(f"`{word}` is nothing this can do.\n\n{__doc__}")


if __name__ == "__main__":
    main()
