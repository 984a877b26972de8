"""The grid of a clip, among the grids that a model plays."""

from collections.abc import Mapping

from musicvae.bundle.format import Bundle
from musicvae.errors import RepresentationError, SettingError
from musicvae.generation.points import ResolvedPoint
from musicvae.music.meters import parse_meter
from musicvae.music.notes import TimeGrid
from musicvae.representation import Representation


def find_grid(
    bundle: Bundle,
    meter: str | None,
    steps_per_quarter: int | None,
    default: TimeGrid | None = None,
) -> Representation:
    """The model's representation on the grid that is asked for.

    Args:
        bundle: The model.
        meter: The meter; None for the default's.
        steps_per_quarter: The resolution; None for the default's.
        default: A grid of the model; None for its first.

    Raises:
        SettingError: If the model does not play the grid.
    """
    first: Representation = bundle.representation
    default, grids = default or first.grid, bundle.experiment.all_grids
    grid = TimeGrid(
        default.meter if meter is None else parse_meter(meter),
        default.steps_per_quarter if steps_per_quarter is None else steps_per_quarter,
    )
    if grid not in grids:
        is_of_steps = steps_per_quarter is not None
        found = f"`steps_per_quarter` {steps_per_quarter} in {grid.meter}"
        name = "steps_per_quarter" if is_of_steps else "meter"
        raise SettingError(
            f"{found if is_of_steps else f'`meter` {grid}'} for {bundle.name}",
            expected=f"one of {', '.join(map(str, grids))}" if grids[1:] else f"{grids[0]}",
            action=f"Leave `{name}` out, or choose a grid that the model plays.",
            field=name,
        )
    return first.on_grid(grid)


def grid_of_points(
    bundle: Bundle,
    meter: str | None,
    steps_per_quarter: int | None,
    points: Mapping[str, ResolvedPoint],
) -> Representation:
    """The model's representation on the grid of a request's points, given by their paths.

    Raises:
        SettingError: If the model does not play the grid that is asked for.
        RepresentationError: If a point has another grid; `cause` is `wrong_meter` or
            `wrong_resolution`.
    """
    found = {
        path: point.excerpt.notes.grid
        for path, point in points.items()
        if point.excerpt is not None
    }
    representation = find_grid(bundle, meter, steps_per_quarter, next(iter(found.values()), None))
    grid = representation.grid
    is_asked = meter is not None or steps_per_quarter is not None
    for path, other in found.items():
        if other != grid:
            is_meter = other.meter != grid.meter
            raise RepresentationError(
                f"music in {other} for clips in {grid}"
                if is_asked
                else f"music in {other} beside music in {grid}",
                cause="wrong_meter" if is_meter else "wrong_resolution",
                expected=f"music in {grid}",
                action=f"Read it in {grid.meter} with the excerpt's `meter`, or choose other bars "
                "with `start_bar`."
                if is_meter
                else f"Read it on {grid.steps_per_quarter} steps with the excerpt's "
                "`steps_per_quarter`.",
                field=f"{path}.excerpt",
            )
    return representation
