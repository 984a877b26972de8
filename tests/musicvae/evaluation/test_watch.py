import io

import pytest
from rich.console import Console

from musicvae.evaluation.watch import unwatched, watched


@pytest.mark.parametrize("is_terminal", [False, True])
def test_the_parts_pass_in_their_order(is_terminal):
    console = Console(file=io.StringIO(), force_terminal=is_terminal, width=80)
    with watched(console) as watch:
        assert list(watch(range(3), "counting")) == [0, 1, 2]
        assert list(watch([], "nothing")) == []
    assert list(unwatched([1, 2], "")) == [1, 2]
    assert "counting" in console.file.getvalue()


def test_a_pipe_gets_a_line_for_each_piece_of_work():
    console = Console(file=io.StringIO(), width=80)
    with watched(console) as watch:
        for title in ("one", "two"):
            list(watch(range(3), title))
    assert console.file.getvalue() == "one\ntwo\n"


def test_an_interruption_takes_the_bar_away():
    console = Console(file=io.StringIO(), force_terminal=True, width=80)

    def interrupt():
        with watched(console) as watch:
            for _ in watch(range(3), "counting"):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert "\x1b[?25h" in console.file.getvalue()  # the cursor is there again
