"""`export` with keywords for the flags of the command."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from tf_finetune.api.examples import name_of, source_of
from tf_finetune.errors import UserError
from tf_finetune.export.formats import ExportRequest, read_request
from tf_finetune.export.smaller.request import FLAGS
from tf_finetune.jobs.export import export
from tf_finetune.runs.opening import open_model

_OTHERS = ("precisions", "max_loss", "examples", "replace")


def export_model(
    run: Path, folder: Path, form: str | Sequence[str], options: Mapping[str, Any]
) -> dict[str, Path]:
    """Writes a folder for each form, all of them or none.

    Args:
        run: The finished run.
        folder: Where they go.
        form: One or several of the command's `--to`.
        options: The command's other flags, as keywords, and `examples` for its FILE.

    Raises:
        UserError: In the words of the keywords.
    """
    smaller = {_keyword(flag): flag for flag in FLAGS}
    unknown = [name for name in options if name not in (*_OTHERS, *smaller)]
    if unknown:
        raise UserError(
            [f"{name}: unknown keyword of export" for name in unknown],
            hint=f"accepted: {', '.join((*_OTHERS, *smaller))}",
        )
    if isinstance(form, str) and "," in form:
        raise UserError(f"form: received {form!r}; accepted: one name, or a list of names")
    examples = options.get("examples")
    source = None if examples is None else source_of(examples, "examples")
    file = None if source is None else name_of(source)
    try:
        return export(
            open_model(str(run), single=True),
            _request(form, options, smaller),
            folder,
            file,
            Console(quiet=True),
            replace=bool(options.get("replace", False)),
        )
    except UserError as error:
        raise type(error)(map(_in_keywords, error.problems), hint=error.hint) from None


def _request(
    form: str | Sequence[str], options: Mapping[str, Any], smaller: Mapping[str, str]
) -> ExportRequest:
    return read_request(
        _listed(form),
        _listed(options.get("precisions")),
        _text(options.get("max_loss")),
        {flag: _text(options.get(name)) for name, flag in smaller.items()},
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _listed(value: Any) -> str | None:
    """Names as the command separates them."""
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else _text(value)


def _keyword(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


def _in_keywords(problem: str) -> str:
    """A message about flags as one about keywords."""
    named = problem
    for flag, keyword in (("--output", "folder"), ("--to", "form"), ("--force", "replace=True")):
        named = named.replace(flag, keyword)
    return re.sub(r"--[a-z][a-z-]*", lambda found: _keyword(found[0]), named)
