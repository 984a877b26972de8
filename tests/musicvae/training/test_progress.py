import io
import re

from rich.console import Console

from musicvae.training import RunSettings, train


def test_plain_lines_say_how_far_a_run_is(whole_run):
    _, watched = whole_run
    lines = [line for line in watched.said.splitlines() if line.startswith("step ")]
    assert [line.split(" · ")[0] for line in lines] == [
        "step 8 of 20",
        "step 16 of 20",
        "step 20 of 20",
    ]
    form = (
        r"step 16 of 20 · \d+ examples/s · loss \d+\.\d · KL \d+\.\d nats · "
        r"sampled accuracy 0\.\d{3} · \d+ min left"
    )
    assert re.fullmatch(form, lines[1])


def test_a_terminal_gets_a_bar_that_goes_away_and_lines_that_stay(make_experiment, data, tmp_path):
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=140)
    settings = RunSettings(data=data, out=tmp_path / "run", accelerator="cpu")
    assert train(make_experiment(), settings, console)
    said = file.getvalue()
    assert "━" in said
    assert "0/20" in said
    assert "step 20 of 20" in said
    assert "Epoch" not in said
    assert said.rindex("━") < said.rindex("\x1b[2K")  # the last thing done to the bar's line
