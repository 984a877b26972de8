"""The meter of a clip, among the meters that a model plays."""

from collections.abc import Mapping

from musicvae.bundle.format import Bundle
from musicvae.errors import RepresentationError, SettingError
from musicvae.generation.points import ResolvedPoint
from musicvae.music.meters import parse_meter
from musicvae.representation import Representation


def find_meter(bundle: Bundle, text: str | None) -> Representation:
    """The model's representation in a meter; in its first meter if none is asked for.

    Raises:
        SettingError: If the model does not play the meter.
    """
    first: Representation = bundle.representation
    if text is None:
        return first
    meter, meters = parse_meter(text), bundle.experiment.all_meters
    if meter not in meters:
        raise SettingError(
            f"`meter` {text} for {bundle.name}",
            expected=f"one of {', '.join(map(str, meters))}" if meters[1:] else f"{meters[0]}",
            action="Choose a meter that the model plays, or leave it out for the first.",
            field="meter",
        )
    return first.in_meter(meter)


def meter_of_points(
    bundle: Bundle, text: str | None, points: Mapping[str, ResolvedPoint]
) -> Representation:
    """The model's representation in the meter of a request's points, given by their paths.

    Raises:
        SettingError: If the model does not play the meter that is asked for.
        RepresentationError: If a point has another meter; `cause` is `wrong_meter`.
    """
    asked = find_meter(bundle, text)
    found = {
        path: point.excerpt.notes.meter
        for path, point in points.items()
        if point.excerpt is not None
    }
    meter = asked.meter if text is not None else next(iter(found.values()), asked.meter)
    for path, other in found.items():
        if other != meter:
            raise RepresentationError(
                f"music in {other} beside music in {meter}"
                if text is None
                else f"music in {other} for clips in {meter}",
                cause="wrong_meter",
                expected=f"music in {meter}",
                action=f"Read it in {meter} with the excerpt's `meter`, or choose other bars with "
                "`start_bar`.",
                field=f"{path}.excerpt",
            )
    return asked.in_meter(meter)
