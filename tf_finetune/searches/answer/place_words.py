"""What a cell does, and depths and methods by name, for sentences."""

from collections.abc import Sequence

from tf_finetune.encoders.pooling import words_of
from tf_finetune.methods.settings import setting_of
from tf_finetune.results.recommendation import DepthResult, Recommendation
from tf_finetune.results.trial import Place, exact_rate

_LONG_RUN = 4  # depths in a row, which are named by the first and the last


def setting(found: Recommendation, result: DepthResult) -> str:
    """What to do, as an instruction: method, depth, rate and further options."""
    options, used = result.cell.options, result.cell.layers_used
    depth, layers, place = result.depth, found.num_layers, result.place
    whole = "the only layer" if layers == 1 else f"all {layers} layers"
    method = method_words(found, place)
    if result.cell.is_solved and used is not None:
        del options["encoder.layers"]
        action = f"Use the first {used} of {layers} layers as they are and solve the head exactly"
        if used == 1:
            action = f"Use the first of {layers} layers as it is and solve the head exactly"
    elif result.cell.is_solved:
        action = f"Freeze {whole if depth == layers else 'all but the head'}"
        action += " and solve the head exactly"
    elif depth == layers:
        action = f"Freeze {whole} (train only {'pooler and' if found.has_pooler else 'the'} head)"
    elif method:
        action = f"Train {method} on {_layers(depth, layers)}"
        action += f" ({depth} of {layers} frozen)" if depth else ""
    else:
        action = f"Freeze {depth} of {layers} layers" if depth else "Train all layers"
    if "encoder.pooling" in options:
        action += f" on {words_of(options.pop('encoder.pooling'))}"
    if result.cell.learning_rate is not None:
        action += f" at learning rate {rate_words(result.cell.learning_rate)}"
    return action + "".join(f", {name}={value}" for name, value in options.items())


def doing(found: Recommendation, place: Place) -> str:
    """A depth, and method, as an activity."""
    used = found.at(*place).cell.layers_used
    if used is not None:
        return "using the first layer alone" if used == 1 else f"using the first {used} alone"
    if place.method:
        return f"{method_words(found, place)} on {_layers(place.depth, found.num_layers)}"
    if place.depth == 0:
        return "training all layers"
    return f"freezing {'all ' if place.depth == found.num_layers else ''}{place.depth}"


def depths(found: Recommendation, places: Sequence[Place]) -> str:
    """Such as `depths 4 and 5`, where methods are compared `depths 4 and 5 with biases`."""
    if not found.methods:
        return plain_depths(places)
    by_method: dict[str, list[Place]] = {}
    for place in sorted(places, key=lambda place: place.order):
        by_method.setdefault(method_words(found, place) or "the head alone", []).append(place)
    return listed([f"{plain_depths(own)} with {method}" for method, own in by_method.items()])


def plain_depths(places: Sequence[Place]) -> str:
    """Such as `depths 4 and 5`, whatever the method."""
    numbers = sorted(place.depth for place in places)
    return f"{'depths' if len(numbers) > 1 else 'depth'} {listed(_runs(numbers))}"


def method_words(found: Recommendation, place: Place) -> str:
    """The method, with its setting where another one is called alike; empty where it is none."""
    if place.method is None:
        return ""
    method = setting_of(place.method)
    alike = [other for other in map(setting_of, found.methods) if other.words == method.words]
    return f"{method.words} ({method.setting})" if len(alike) > 1 else method.words


def listed(parts: Sequence[object]) -> str:
    """Such as `1, 2 and 3`."""
    *first, last = map(str, parts)
    return f"{', '.join(first)} and {last}" if first else last


def rate_words(learning_rate: float) -> str:
    """A learning rate in three digits."""
    return exact_rate(float(f"{learning_rate:.3g}"))


def lower_first(text: str) -> str:
    """Within a sentence."""
    return text[0].lower() + text[1:]


def upper_first(text: str) -> str:
    """At the beginning of a sentence."""
    return text[0].upper() + text[1:]


def _layers(depth: int, num_layers: int) -> str:
    """Those above a depth, which are numbered from 0."""
    if depth == 0:
        return "the only layer" if num_layers == 1 else f"all {num_layers} layers"
    above = range(depth, num_layers)
    return f"layer{'s' if len(above) > 1 else ''} {listed(_runs(above))}"


def _runs(depths: Sequence[int]) -> list[str]:
    """Ascending depths, long runs of neighbours by their ends."""
    runs: list[list[int]] = []
    for depth in depths:
        if runs and depth == runs[-1][-1] + 1:
            runs[-1].append(depth)
        else:
            runs.append([depth])
    return [
        part
        for run in runs
        for part in (map(str, run) if len(run) < _LONG_RUN else [f"{run[0]} to {run[-1]}"])
    ]
