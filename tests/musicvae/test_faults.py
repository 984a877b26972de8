import sys
import tempfile

import click
import pytest

from musicvae.__main__ import cli, main


@click.command()
def broken():
    {}["missing"]


def test_no_command_shows_a_traceback(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(cli.commands, "broken", broken)
    monkeypatch.setattr(sys, "argv", ["musicvae", "broken"])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 70
    said = capsys.readouterr().err
    assert "a fault of musicvae, not of your input: KeyError at" in said
    assert "Traceback" not in said
    (kept,) = tmp_path.iterdir()
    assert str(kept) in said
    assert "Traceback" in kept.read_text()
