"""Explains predictions: what each word of a text contributed to an output of the model.

`Explainer` does it by integrated gradients; `explain_mistakes` adds it to the worst mistakes
of a report. Both load TensorFlow, and are loaded at first use.
"""

from typing import TYPE_CHECKING

from tf_finetune.explanation.precision import Precision
from tf_finetune.explanation.requests import check_label, check_precision
from tf_finetune.lazy_names import lazy_names

if TYPE_CHECKING:
    from tf_finetune.explanation.explainer import Explainer
    from tf_finetune.explanation.mistakes import explain_mistakes

__all__ = ["Explainer", "Precision", "check_label", "check_precision", "explain_mistakes"]

__getattr__ = lazy_names(__name__, {"explainer": ["Explainer"], "mistakes": ["explain_mistakes"]})
