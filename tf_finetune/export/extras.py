"""The packages of the extra `export`, without which some forms cannot be written."""

from collections.abc import Iterable
from importlib.util import find_spec

from tf_finetune.errors import UserError
from tf_finetune.export.formats import LITERT, SAVEDMODEL
from tf_finetune.machine.environment import installed_version

# Module, distribution and what it does, by the form that needs it.
_NEEDED = {
    SAVEDMODEL: ("tensorflow_text", "tensorflow-text", "a model that takes texts needs"),
    LITERT: ("ai_edge_litert", "ai-edge-litert", "measures what a file loses"),
}


def check_extras(formats: Iterable[str]) -> None:
    """Tells before anything slow is imported which packages are missing.

    Raises:
        UserError: Some are; all are named.
    """
    missing = [
        missing_extra(form)
        for form in formats
        if form in _NEEDED and find_spec(_NEEDED[form][0]) is None
    ]
    if missing:
        hints = dict.fromkeys(error.hint for error in missing if error.hint)
        raise UserError([p for error in missing for p in error.problems], hint="\n".join(hints))


def missing_extra(form: str) -> UserError:
    """What to say where the package that a form needs is not installed."""
    _, package, use = _NEEDED[form]
    wanted = package
    if form == SAVEDMODEL:
        release = ".".join((installed_version("tensorflow") or "2.20").split(".")[:2])
        wanted = f"'{package}=={release}.*'"
    return UserError(
        f"{form}: {package} is not installed, which {use}",
        hint=f"pip install 'tf-finetune[export]', or from a clone: pip install {wanted}",
    )
