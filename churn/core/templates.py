"""Templates: one way to fill in those of a package; values are escaped in HTML, and none may be missing."""

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape

from churn.core.language import unbroken


def templates_of(*packages: str, keep_trailing_newline: bool = False) -> Environment:
    """Return the templates in the folders `templates` of some packages; the first that has a name counts."""
    templates = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=keep_trailing_newline,
        auto_reload=False,  # else each page asks the disk for all of its templates
    )
    templates.filters["unbroken"] = unbroken
    return templates
