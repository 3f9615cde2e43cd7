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
        required_keys: Keys of config.json that the arithmetic needs, each with the most it may
            be: far beyond any encoder, and short of what would fill the memory with names.
    """

    model_type: str
    classifier_class: str
    backbone: str
    variables: Callable[..., tuple[Variable, ...]]
    required_keys: Mapping[str, int]


# Those of transformers' TensorFlow models; looking there would load TensorFlow.
_ACTIVATIONS = (
    *("gelu", "gelu_10", "gelu_fast", "gelu_new", "glu", "mish"),
    *("quick_gelu", "relu", "sigmoid", "silu", "swish", "tanh"),
)

FAMILIES = {
    "bert": EncoderFamily(
        model_type="bert",
        classifier_class="TFBertForSequenceClassification",
        backbone="bert",
        variables=bert_variables,
        required_keys={
            "vocab_size": 10**8,
            "hidden_size": 10**6,
            "num_hidden_layers": 10**4,
            "num_attention_heads": 10**4,
            "intermediate_size": 10**7,
            "max_position_embeddings": 10**8,
            "type_vocab_size": 10**4,
        },
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
        f"{where}: {key}: received {config.get(key)!r}, accepted: an integer from 1 to {largest:,}"
        for key, largest in family.required_keys.items()
        if type(config.get(key)) is not int or not 1 <= config[key] <= largest
    ]
    activation = config.get("hidden_act", "gelu")
    if activation not in _ACTIVATIONS:
        problems.append(
            f"{where}: hidden_act: received {activation!r}, accepted: {', '.join(_ACTIVATIONS)}"
        )
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
