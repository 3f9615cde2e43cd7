"""How this program was called, so that the commands it shows can be typed as they stand."""

import shlex
import shutil
import sys

PROGRAM = "tf-finetune"
_SCRIPTS = "trainers"


def command_line(verb: str) -> str:
    """The beginning of the command line of a verb, in the way the person began theirs.

    Returns:
        `python -m trainers.VERB`, `python -m trainers VERB` (with the Python that was typed), or
        `tf-finetune VERB`, which is also what code that was not called by a command shows.
    """
    module = _main_module()
    if module in (_SCRIPTS, f"{_SCRIPTS}.cli"):
        return f"{_python()} -m {module} {verb}"
    if module.startswith(f"{_SCRIPTS}."):
        return f"{_python()} -m {_SCRIPTS}.{verb}"
    return f"{_script()} {verb}"


def program() -> str:
    """The command line without a verb: `tf-finetune`, or `python -m trainers`."""
    module = _main_module()
    if module.split(".")[0] != _SCRIPTS:
        return _script()
    return f"{_python()} -m {module if module == f'{_SCRIPTS}.cli' else _SCRIPTS}"


def _main_module() -> str:
    """What stood after `python -m`; empty where nothing did."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return "" if spec is None else str(spec.name).removesuffix(".__main__")


def _python() -> str:
    return shlex.quote(sys.orig_argv[0])


def _script() -> str:
    """The installed script: its name, with the folders before it where the name is not enough."""
    path = sys.argv[0]
    if path.replace("\\", "/").rpartition("/")[2].removesuffix(".exe") != PROGRAM:
        return PROGRAM
    return PROGRAM if shutil.which(PROGRAM) == path else shlex.quote(path)
