"""Names of a package that are loaded at first use, together with what their modules import."""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(package: str, modules: Mapping[str, Iterable[str]]) -> Callable[[str], Any]:
    """Makes the `__getattr__` of a package whose modules are slow to import (PEP 562).

    Args:
        package: The package's `__name__`.
        modules: Module of the package to the names that it gives.

    Example:
        __getattr__ = lazy_names(__name__, {"tokenizers": ["load_tokenizer"]})
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> Any:
        if name in module_of:
            return getattr(import_module(f"{package}.{module_of[name]}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load
