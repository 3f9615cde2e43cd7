"""The families that there are. A new one is a file beside this one and a line here."""

from collections.abc import Mapping
from typing import Any

from tf_finetune.encoders.families.albert import Albert
from tf_finetune.encoders.families.bert import Bert
from tf_finetune.encoders.families.deberta_v2 import DebertaV2
from tf_finetune.encoders.families.distilbert import DistilBert
from tf_finetune.encoders.families.electra import Electra
from tf_finetune.encoders.families.gpt2 import Gpt2
from tf_finetune.encoders.families.mpnet import Mpnet
from tf_finetune.encoders.families.roberta import Camembert, Roberta, XlmRoberta
from tf_finetune.encoders.family import Family
from tf_finetune.errors import UserError

FAMILIES: dict[str, Family] = {
    family.model_type: family
    for family in (
        Bert(),
        Roberta(),
        XlmRoberta(),
        Camembert(),
        Electra(),
        Mpnet(),
        DistilBert(),
        Albert(),
        DebertaV2(),
        Gpt2(),
    )
}


def family_of(config: Mapping[str, Any], where: str) -> Family:
    """Finds the family of an encoder and checks that its configuration is complete.

    Args:
        config: config.json as a mapping.
        where: Path of the file, for messages.

    Raises:
        UserError: The family is not supported, or the configuration is incomplete or
            contradicts itself.
    """
    model_type = config.get("model_type")
    family = FAMILIES.get(model_type) if isinstance(model_type, str) else None
    if family is None:
        raise UserError(
            f"{where}: model_type: received {model_type!r}, accepted: {', '.join(FAMILIES)}"
        )
    problems = family.problems(config, where)
    if problems:
        raise UserError(problems)
    return family
