"""Computes the cases of `adapter_cases` with PEFT; runs where nothing of this project is.

python adapter_torch_side.py FOLDER DIFFERENCES.json

It also makes adapters of its own for each family, FOLDER/FAMILY/theirs-KIND/adapter, with tokens
and logits in theirs.safetensors, which `adapter_reading` reads.
"""

import json
import sys
from pathlib import Path

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

_START = "tokens/"
_SPREAD = 0.1


def main(folder: str, differences_file: str) -> None:
    """Writes by case the largest difference of a logit, and tensors of one side alone, as JSON."""
    cases = {}
    for family in sorted(Path(folder).iterdir()):
        for case in sorted(path.parent for path in family.glob("*/ours.safetensors")):
            cases[f"{family.name}, {case.name}"] = _compared(family / "encoder", case)
        _make(family, case)
    versions = (torch.__version__, transformers.__version__, peft.__version__)
    named = zip(("torch", "transformers", "peft"), versions, strict=True)
    found = {"cases": cases, "versions": ", ".join(" ".join(pair) for pair in named)}
    Path(differences_file).write_text(json.dumps(found), encoding="utf-8")


def _compared(encoder: Path, case: Path) -> dict:
    ours = load_file(case / "ours.safetensors")
    base = _base(encoder, ours)
    model = peft.PeftModel.from_pretrained(base, str(case / "adapter")).eval()
    logits = _logits(model, ours)
    written = load_file(case / "adapter" / "adapter_model.safetensors").keys()
    of_one = sorted(written ^ peft.get_peft_model_state_dict(model).keys())
    return {"logits": float((logits - ours["logits"]).abs().max()), "of one side": of_one}


def _make(family: Path, case: Path) -> None:
    """Adapters that are PEFT's own, with random values, on everything that it calls linear."""
    ours = load_file(case / "ours.safetensors")
    for kind in ("lora", "dora", "ia3"):
        base = _base(family / "encoder", ours)
        model = peft.get_peft_model(base, _config(kind, base)).eval()
        generator = torch.Generator().manual_seed(6)
        for parameter in model.parameters():
            if parameter.requires_grad:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.data += _SPREAD * noise
        folder = family / f"theirs-{kind}"
        model.save_pretrained(folder / "adapter")
        tokens = {name: value for name, value in ours.items() if name.startswith(_START)}
        save_file(tokens | {"logits": _logits(model, ours)}, folder / "theirs.safetensors")


def _config(kind: str, base: torch.nn.Module) -> peft.PeftConfig:
    poolers = [n for n, _ in base.named_modules() if n.endswith(("pooler", "pre_classifier"))]
    usual = {"task_type": "SEQ_CLS", "target_modules": "all-linear", "modules_to_save": poolers}
    if kind == "ia3":
        widths = ((n, getattr(m, "weight", torch.ones(1)).shape) for n, m in base.named_modules())
        down = [n for n, shape in widths if len(shape) == 2 and max(shape) == 2 * min(shape)]
        return peft.IA3Config(feedforward_modules=down[1::2], **usual)
    return peft.LoraConfig(r=3, lora_alpha=4, use_rslora=True, use_dora=kind == "dora", **usual)


def _base(encoder: Path, ours: dict) -> torch.nn.Module:
    return transformers.AutoModelForSequenceClassification.from_pretrained(
        encoder, num_labels=ours["logits"].shape[1], attn_implementation="eager"
    )


def _logits(model: torch.nn.Module, ours: dict) -> torch.Tensor:
    tokens = {n.removeprefix(_START): v for n, v in ours.items() if n.startswith(_START)}
    with torch.no_grad():
        return model(**tokens).logits


if __name__ == "__main__":
    main(*sys.argv[1:])
