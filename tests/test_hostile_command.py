"""Whatever file is given, the command makes music of it or says in one line why not."""

import sys

import pytest
from midi_mutations import mutants

from musicvae.__main__ import MISUSE, main


@pytest.mark.slow
def test_mutated_midi_is_played_or_refused(tmp_path, bundle_folder, monkeypatch, capsys):
    file = tmp_path / "mutant.mid"
    options = ["--model", str(bundle_folder), "--out", str(tmp_path / "out"), "--seed", "1"]
    fit = ["--start-bar", "1", "--reduce"]
    monkeypatch.setattr(sys, "argv", ["musicvae", "reconstruct", str(file), *options, *fit])
    codes = []
    for data in mutants(22, 10_000):
        file.write_bytes(data)
        with pytest.raises(SystemExit) as exit_:
            main()
        codes.append(exit_.value.code)
        said = capsys.readouterr()
        if codes[-1] == MISUSE:
            assert said.err.startswith("musicvae: ") and said.err.count("\n") == 1, said.err
        else:
            assert str(tmp_path / "out") in said.out
    assert set(codes) == {0, MISUSE}
    assert codes.count(0) > 500
