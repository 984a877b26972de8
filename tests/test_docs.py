"""Every block of commands and of Python in the documentation runs as a reader would type it.

A block runs unless a comment in the line above it says why not: `<!-- not run: REASON -->`. Blocks
of commands take seconds to minutes and are marked `slow`. The blocks of a page run in order, in
one empty folder; Python under `<!-- run among the commands -->` runs as a program between them.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md")),
)
BLOCK = re.compile(
    r"(?:<!-- (?P<note>[^>]*) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL
)
LONGEST_S = 900


@dataclass(frozen=True)
class Block:
    """One block of a page: its language, its text, and the note above it."""

    language: str
    text: str
    note: str

    @property
    def runs_as(self) -> str | None:
        """The language as which it runs, if it runs."""
        if self.note.startswith("not run: "):
            return None
        return "bash" if self.note == "run among the commands" else self.language

    @property
    def commands(self) -> str:
        """The block in a script of commands."""
        return self.text if self.language == "bash" else f"python - <<'END'\n{self.text}\nEND\n"


def blocks(page, language):
    text = (ROOT / page).read_text()
    found = [Block(m["language"], m["text"], m["note"] or "") for m in BLOCK.finditer(text)]
    return [each for each in found if each.runs_as == language]


def pages_with(language):
    return [page for page in PAGES if blocks(page, language)]


def test_every_block_is_of_a_kind_that_runs():
    for page in PAGES:
        for block in BLOCK.finditer((ROOT / page).read_text()):
            assert block["language"] in {"bash", "python", "text", "diff", "json"}, (
                page,
                block["text"],
            )


@pytest.mark.parametrize("page", pages_with("python"))
def test_python_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks(page, "python"):
        exec(compile(block.text, page, "exec"), names)  # noqa: S102  # the documentation's own code


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("bash"))
def test_commands_of_a_page_run(page, tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    commands = "\n".join(each.commands for each in blocks(page, "bash"))
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", commands],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Traceback" not in done.stderr
