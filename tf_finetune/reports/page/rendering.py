"""The templates of all pages: every text in them is escaped."""

from functools import cache

import jinja2

from tf_finetune.reports.console import printable
from tf_finetune.reports.page.drawing import Drawing
from tf_finetune.reports.page.svg import inline_svg


@cache
def page_templates() -> jinja2.Environment:
    """The templates, with the filters `svg` (a drawing) and `printable` (a text on one line)."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tf_finetune.reports.page", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["svg"] = _svg
    environment.filters["printable"] = printable
    return environment


def _svg(drawn: Drawing) -> str:
    return inline_svg(drawn.figure, drawn.name, drawn.description)
