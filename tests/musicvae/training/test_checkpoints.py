import pytest
import torch

from musicvae.errors import TrainingError
from musicvae.training.checkpoints import checkpoint_path, read_checkpoint


def test_the_best_is_the_most_accurate_and_the_last_the_last(whole_run):
    out, _ = whole_run
    best, last = (read_checkpoint(checkpoint_path(out, name)) for name in ("best", "last"))
    assert best["global_step"] in (8, 16, 20)
    assert last["global_step"] == 20
    assert best["callbacks"]["Checkpoints"] == last["callbacks"]["Checkpoints"]


@pytest.mark.parametrize(("best_so_far", "best_step"), [(0.999, 8), (-1.0, 16)])
def test_a_resumed_run_that_has_moved_knows_how_good_the_best_was(
    watch, interrupt, make_experiment, data, tmp_path, best_so_far, best_step
):
    experiment = make_experiment(steps=16)
    watch(experiment, data, tmp_path / "run", end=interrupt(9, None))
    out = (tmp_path / "run").rename(tmp_path / "moved")
    path = checkpoint_path(out, "last")
    checkpoint = read_checkpoint(path)
    assert 0 < checkpoint["callbacks"]["Checkpoints"]["best"] < 0.999
    checkpoint["callbacks"]["Checkpoints"]["best"] = best_so_far
    torch.save(checkpoint, path)
    assert watch(experiment, data, out, resume=True).is_complete
    assert read_checkpoint(checkpoint_path(out, "best"))["global_step"] == best_step
    assert read_checkpoint(path)["global_step"] == 16


class Code:
    def __reduce__(self):
        return print, ("code from a checkpoint",)


def test_no_code_is_run_from_a_checkpoint(tmp_path, capsys):
    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": Code()}, path)
    with pytest.raises(TrainingError, match="that can't be read"):
        read_checkpoint(path)
    assert "code" not in capsys.readouterr().out
