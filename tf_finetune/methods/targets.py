"""Which products of a layer a method acts on."""

from collections.abc import Sequence

from tf_finetune.encoders.variables import Variable

# What the model codebases call a product, and its name as a site.
_OTHER_NAMES = {"output": "attention_output"}
# Where the three are one product, it stands for each of them.
_FUSED = "query_key_value"
_OF_FUSED = ("query", "key", "value")


def sites_of(targets: Sequence[str], known: Sequence[str]) -> list[str]:
    """The sites that targets name, of those that an encoder has; an unknown one stays as it is.

    Args:
        targets: As they are written.
        known: Sites of the products of a layer.
    """
    sites = [_OTHER_NAMES.get(target, target) for target in targets]
    if _FUSED in known:
        sites = [_FUSED if site in _OF_FUSED else site for site in sites]
    return list(dict.fromkeys(sites))


def is_target(matrix: Variable, targets: Sequence[str]) -> bool:
    """Whether targets name a matrix of a layer."""
    return matrix.site in sites_of(targets, (matrix.site,))


def product_sites(variables: Sequence[Variable]) -> list[str]:
    """Sites of the products of a layer, in forward order."""
    return list(dict.fromkeys(v.site for v in variables if v.kind == "kernel" and v.layers))


def target_problems(
    targets: Sequence[str], variables: Sequence[Variable], option: str = "targets"
) -> list[str]:
    """Targets that an encoder lacks.

    Args:
        targets: As they are written.
        variables: Of the encoder.
        option: Of the method, that they are written in.
    """
    known = product_sites(variables)
    wrong = [site for site in sites_of(targets, known) if site not in known]
    accepted = ", ".join(known)
    return [
        f"method.{option}: received {site}, which a layer of this encoder does not have; accepted: "
        f"{accepted}"
        for site in wrong
    ]
