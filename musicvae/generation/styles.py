"""The style that a request asks for, among the styles that a model knows."""

from musicvae.bundle.format import Bundle
from musicvae.errors import SettingError


def known_styles(bundle: Bundle) -> tuple[str, ...]:
    """The styles that new music of a model can be drawn in."""
    return bundle.experiment.prior.styles if bundle.draws_events else ()


def find_style(bundle: Bundle, text: str | None) -> int | None:
    """The number of a style among the styles of a model; None if none is asked for.

    Raises:
        SettingError: If the model does not know the style.
    """
    if text is None:
        return None
    names = known_styles(bundle)
    if not names:
        raise SettingError(
            f"a style for {bundle.name}",
            expected="none: it knows no styles",
            action="Leave it out, or choose a model that lists styles.",
            field="style",
        )
    name = text.strip().lower()
    if name not in names:
        raise SettingError(
            f"style={text!r}",
            expected=f"one of {', '.join(names)}",
            action=f"Choose a style that {bundle.name} knows, or leave it out to have one drawn.",
            field="style",
        )
    return names.index(name)
