"""Templates: one way to fill in those of a package; values are escaped in HTML, and none may be missing."""

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


def templates_of(package: str, *, keep_trailing_newline: bool = False) -> Environment:
    """Return the templates in a package's folder `templates`."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=keep_trailing_newline,
    )
