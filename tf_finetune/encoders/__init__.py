"""Pretrained encoders: found, checked, cut at a depth, priced and frozen.

Names that need TensorFlow (`Classifier`, `build_classifier`) or transformers
(`load_tokenizer`) are loaded at first use, so that plans and checks answer at once.
"""

from typing import TYPE_CHECKING

from tf_finetune.encoders.arithmetic import PlanCost, depth_costs, plan_cost
from tf_finetune.encoders.checkpoints import check_checkpoint
from tf_finetune.encoders.freezing import FreezePlan, PlanRow, plan_freezing
from tf_finetune.encoders.head_start import HeadStart, matched_head
from tf_finetune.encoders.locating import (
    EncoderFiles,
    check_inputs,
    model_packages,
    resolve_encoder,
)
from tf_finetune.encoders.output_scale import OutputScale, output_scale
from tf_finetune.encoders.variables import Variable
from tf_finetune.lazy_names import lazy_names

if TYPE_CHECKING:
    from tf_finetune.encoders.classifier import (
        Classifier,
        build_classifier,
        build_untrained_classifier,
    )
    from tf_finetune.encoders.tokenizers import load_tokenizer

__all__ = [
    "Classifier",
    "EncoderFiles",
    "FreezePlan",
    "HeadStart",
    "OutputScale",
    "PlanCost",
    "PlanRow",
    "Variable",
    "build_classifier",
    "build_untrained_classifier",
    "check_checkpoint",
    "check_inputs",
    "depth_costs",
    "load_tokenizer",
    "matched_head",
    "model_packages",
    "output_scale",
    "plan_cost",
    "plan_freezing",
    "resolve_encoder",
]

__getattr__ = lazy_names(
    __name__,
    {
        "classifier": ["Classifier", "build_classifier", "build_untrained_classifier"],
        "tokenizers": ["load_tokenizer"],
    },
)
