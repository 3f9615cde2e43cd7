"""What the rest of the project has to know of an encoder family: one table row each.

An encoder is embeddings, an ordered list of layers, a pooler and a head. A row says
where `transformers` keeps these in its TensorFlow model and which variables there are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tf_finetune.encoders.variables import Variable, bert_variables
from tf_finetune.errors import UserError


@dataclass(frozen=True)
class EncoderFamily:
    """One family of encoders.

    Attributes:
        model_type: `model_type` in config.json.
        classifier_class: Name of the TensorFlow class in `transformers`.
        backbone: Attribute of that class that holds the encoder, also the prefix of its
            tensors in a checkpoint.
        variables: Lists all variables for (config, num_labels) in forward order.
        required_keys: Keys of config.json that the arithmetic needs.
    """

    model_type: str
    classifier_class: str
    backbone: str
    variables: Callable[..., tuple[Variable, ...]]
    required_keys: tuple[str, ...]


FAMILIES = {
    "bert": EncoderFamily(
        model_type="bert",
        classifier_class="TFBertForSequenceClassification",
        backbone="bert",
        variables=bert_variables,
        required_keys=(
            "vocab_size",
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "intermediate_size",
            "max_position_embeddings",
            "type_vocab_size",
        ),
    ),
}


def family_of(config: Mapping[str, Any], where: str) -> EncoderFamily:
    """Finds the family of an encoder and checks that its configuration is complete.

    Args:
        config: config.json as a mapping.
        where: Path of the file, for messages.

    Raises:
        UserError: The family is not supported, or the configuration is incomplete or
            contradicts itself.
    """
    model_type = config.get("model_type")
    if model_type not in FAMILIES:
        raise UserError(
            f"{where}: model_type: received {model_type!r}, accepted: {', '.join(FAMILIES)}"
        )
    family = FAMILIES[model_type]
    problems = [
        f"{where}: {key}: received {config.get(key)!r}, accepted: a positive integer"
        for key in family.required_keys
        if not isinstance(config.get(key), int) or config[key] < 1
    ]
    if not problems and config["hidden_size"] % config["num_attention_heads"]:
        problems.append(
            f"{where}: hidden_size {config['hidden_size']} is not a multiple of "
            f"num_attention_heads {config['num_attention_heads']}"
        )
    if not problems and config["hidden_size"] % 4:
        # A row of PositionalDropout starts on a block of four random numbers.
        problems.append(
            f"{where}: hidden_size: received {config['hidden_size']}, accepted: multiples of 4"
        )
    # TFBert ignores the one, and the other would need a causal mask.
    kind = config.get("position_embedding_type", "absolute")
    if kind != "absolute":
        problems.append(
            f"{where}: position_embedding_type: received {kind!r}, accepted: 'absolute'"
        )
    if config.get("is_decoder"):
        problems.append(f"{where}: is_decoder: received true, accepted: false")
    if problems:
        raise UserError(problems)
    return family
