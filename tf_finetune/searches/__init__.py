"""Search over frozen depths and learning rates, and the answer it gives.

`recommend` answers from trials; `search_function` searches a model function of one's own.
Both are loaded at first use.
"""

from typing import TYPE_CHECKING, Any

from tf_finetune.results.trial import Cell, Predictions, TrialResult

if TYPE_CHECKING:
    from tf_finetune.results.recommendation import Recommendation
    from tf_finetune.searches.answer.recommendation import recommend
    from tf_finetune.searches.functions import FunctionTrial, search_function

__all__ = [
    "Cell",
    "FunctionTrial",
    "Predictions",
    "Recommendation",
    "TrialResult",
    "recommend",
    "search_function",
]

_LAZY = {
    "FunctionTrial": "tf_finetune.searches.functions",
    "Recommendation": "tf_finetune.results.recommendation",
    "recommend": "tf_finetune.searches.answer.recommendation",
    "search_function": "tf_finetune.searches.functions",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
