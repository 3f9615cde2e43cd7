"""What `adapter_config.json` of PEFT says that the weights do not."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tf_finetune.encoders.checkpoints.tensor_file import quoted
from tf_finetune.encoders.peft.names import ADAPTER_CONFIG
from tf_finetune.errors import UserError

LORA, IA3 = KINDS = ("LORA", "IA3")
# Which modules have something added the tensors tell; of the rest nothing changes the answers.
_OF_NO_MATTER = frozenset(
    (
        *("peft_type", "task_type", "auto_mapping", "peft_version", "base_model_name_or_path"),
        *("revision", "inference_mode", "target_modules", "exclude_modules", "modules_to_save"),
        *("layers_to_transform", "layers_pattern", "feedforward_modules", "fan_in_fan_out"),
        *("lora_dropout", "bias", "init_ia3_weights", "megatron_core", "qalora_group_size"),
        *("eva_config", "ensure_weight_tying"),
    )
)
_READ = frozenset(
    ("r", "lora_alpha", "use_rslora", "use_dora", "rank_pattern", "alpha_pattern")
) | {"init_lora_weights"}
# Others begin with other weights of the encoder than it was published with.
_INITIALISATIONS = (True, False, "gaussian", "eva", "orthogonal")


class AdapterConfig(NamedTuple):
    """How an adapter computes.

    Attributes:
        kind: One of `KINDS`.
        base: Encoder that it was trained for, as PEFT was given it; None: not said.
        ranks: Of LoRA, those that there are.
        alpha: Of LoRA.
        alphas: The same of modules by the end of their names.
        rank_stabilised: Whether LoRA is divided by the root of its rank.
        weight_decomposed: Whether it is DoRA.
    """

    kind: str
    base: str | None
    ranks: frozenset[int] = frozenset()
    alpha: float = 0.0
    alphas: Mapping[str, float] = {}
    rank_stabilised: bool = False
    weight_decomposed: bool = False

    def scale(self, module: str, rank: int) -> float:
        """What A B is multiplied with in a module."""
        named = (a for end, a in self.alphas.items() if f".{module}".endswith(f".{end}"))
        alpha = next(named, self.alpha)
        return alpha / (math.sqrt(rank) if self.rank_stabilised else rank)

    @property
    def words(self) -> str:
        """What it is called."""
        if self.kind == IA3:
            return "IA3"
        return "DoRA" if self.weight_decomposed else "LoRA"


def read_adapter_config(folder: Path) -> AdapterConfig:
    """Reads it.

    Raises:
        UserError: It is missing or damaged, of another method, or says what is not computed here.
    """
    path = folder / ADAPTER_CONFIG
    said = read_json(path)
    kind = said.get("peft_type")
    if kind not in KINDS:
        raise UserError(
            f"encoder.adapter: {path}: peft_type: received {_shown(kind)}; accepted: "
            f"{', '.join(KINDS)} (DoRA is LORA with use_dora)"
        )
    known = _OF_NO_MATTER | (_READ if kind == LORA else frozenset())
    problems = [
        f"{name}: received {_shown(value)}, which is not computed here; accepted: without it"
        for name, value in said.items()
        if name not in known and value
    ]
    base = said.get("base_model_name_or_path")
    found = AdapterConfig(kind, base if isinstance(base, str) else None)
    if kind == LORA:
        found = _lora(found, said, problems)
    if problems:
        raise UserError([f"encoder.adapter: {path}: {problem}" for problem in problems])
    return found


def _lora(found: AdapterConfig, said: Mapping[str, Any], problems: list[str]) -> AdapterConfig:
    begins = said.get("init_lora_weights", True)
    if begins not in _INITIALISATIONS:
        problems.append(
            f"init_lora_weights: received {_shown(begins)}, which changes the encoder's own "
            "weights; accepted: an adapter that PEFT has converted to plain LoRA"
        )

    def checked(name: str, given: Any, is_right: Callable[[Any], bool], accepted: str) -> bool:
        if not is_right(given):
            problems.append(f"{name}: received {_shown(given)}; accepted: {accepted}")
            return False
        return True

    def value(name: str, usual: Any, is_right: Callable[[Any], bool], accepted: str) -> Any:
        given = said.get(name, usual)
        return given if checked(name, given, is_right, accepted) else usual

    def pattern(name: str, is_right: Callable[[Any], bool], accepted: str) -> dict[str, Any]:
        given = said.get(name) or {}
        if not checked(name, given, lambda v: isinstance(v, dict), "an object"):
            return {}
        return {
            # PEFT takes regular expressions, and writes names.
            end.removeprefix("^"): given[end]
            for end in given
            if checked(name, end, _is_name, "ends of names of modules")
            and checked(name, given[end], is_right, accepted)
        }

    whole, number, flag = "an integer from 1", "a number above 0", "true, false"
    rank = value("r", 8, _is_rank, whole)
    return found._replace(
        ranks=frozenset((rank, *pattern("rank_pattern", _is_rank, whole).values())),
        alpha=float(value("lora_alpha", 8, _is_number, number)),
        alphas=pattern("alpha_pattern", _is_number, number),
        rank_stabilised=value("use_rslora", False, _is_flag, flag),
        weight_decomposed=value("use_dora", False, _is_flag, flag),
    )


def _is_rank(value: Any) -> bool:
    return type(value) is int and value >= 1


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value > 0


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_name(value: Any) -> bool:
    return f"_{value.removeprefix('^').replace('.', '_')}".isidentifier()


def read_json(path: Path) -> dict[str, Any]:
    """The object of JSON in a file of an adapter.

    Raises:
        UserError: There is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"encoder.adapter: {path}: not valid JSON: {error}") from None
    if not isinstance(content, dict):
        kind = type(content).__name__
        raise UserError(f"encoder.adapter: {path}: received a {kind}, accepted: a JSON object")
    return content


def _shown(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else json.dumps(value)[:80]
