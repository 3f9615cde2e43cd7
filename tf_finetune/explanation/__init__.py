"""Explains predictions: what each word of a text contributed to an output of the model.

`Explainer` does it by integrated gradients; `explain_mistakes` adds it to the worst mistakes
of a report.
"""

from tf_finetune.explanation.explainer import Explainer
from tf_finetune.explanation.gradients import Precision
from tf_finetune.explanation.mistakes import explain_mistakes
from tf_finetune.explanation.requests import check_label, check_precision

__all__ = ["Explainer", "Precision", "check_label", "check_precision", "explain_mistakes"]
