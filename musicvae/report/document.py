"""Pages as single files, which hold their style, script, pictures and music.

A page asks no network for anything, and its content security policy forbids the browser to fetch or
run anything else. Templates are Jinja's; `excerpt.html` has their common macros.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from musicvae.errors import DataError
from musicvae.files import write_file
from musicvae.report.page_rolls import Roll


def render(
    package: str,
    template: str,
    rolls: Sequence[Roll],
    *,
    scripts: Sequence[str] = ("player.js",),
    **facts: object,
) -> str:
    """Fills a template.

    Besides the facts, a template can use `style`, `script` and `music`, the hashes of style and
    script for its policy, `version`, and `number`, which writes a whole number.

    Args:
        package: The package that holds the template.
        template: The name of the template.
        rolls: The rolls that play, in their order on the page.
        scripts: The names of the scripts that the page runs, one after the other.
        facts: The values that the template names.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader(__package__, ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = _source(environment, "page.css")
    script = "\n".join(_source(environment, each) for each in scripts)
    return environment.get_template(template).render(
        style=Markup(style),  # noqa: S704  # our own file, as are the scripts
        script=Markup(script),  # noqa: S704
        style_hash=_policy_hash(style),
        script_hash=_policy_hash(script),
        music=script_json([roll.playing for roll in rolls]),
        version=version("musicvae"),
        number=lambda value: f"{value:,}",
        **facts,
    )


def write(path: Path, text: str) -> None:
    """Writes a file, whole or not at all; its folder is made where it is missing.

    Raises:
        DataError: If the file can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, text)
    except OSError as error:
        raise DataError(
            f"{path} can't be written ({error.strerror})",
            expected="a file in a folder that can be written to",
            action="Give another place for it.",
            field="out",
        ) from error


def _source(environment: Environment, asset: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, asset)[0]


def _policy_hash(text: str) -> str:
    """Hashes an inline style or script for the page's policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def script_json(value: object) -> Markup:
    """Writes a value as JSON in which no text can end the script element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704  # no `<` is left in it
