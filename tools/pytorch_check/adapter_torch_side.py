"""Computes the cases of `adapter_cases` with PEFT; runs where nothing of this project is.

python adapter_torch_side.py FOLDER DIFFERENCES.json
"""

import json
import sys
from pathlib import Path

import peft
import torch
import transformers
from safetensors.torch import load_file


def main(folder: str, differences_file: str) -> None:
    """Writes by case the largest difference of a logit, and tensors of one side alone, as JSON."""
    cases = {}
    for family in sorted(Path(folder).iterdir()):
        for case in sorted(path.parent for path in family.glob("*/adapter")):
            cases[f"{family.name}, {case.name}"] = _compared(family / "encoder", case)
    versions = (torch.__version__, transformers.__version__, peft.__version__)
    named = zip(("torch", "transformers", "peft"), versions, strict=True)
    found = {"cases": cases, "versions": ", ".join(" ".join(pair) for pair in named)}
    Path(differences_file).write_text(json.dumps(found), encoding="utf-8")


def _compared(encoder: Path, case: Path) -> dict:
    ours = load_file(case / "ours.safetensors")
    base = transformers.AutoModelForSequenceClassification.from_pretrained(
        encoder, num_labels=ours["logits"].shape[1], attn_implementation="eager"
    )
    model = peft.PeftModel.from_pretrained(base, str(case / "adapter")).eval()
    start = "tokens/"
    tokens = {n.removeprefix(start): v for n, v in ours.items() if n.startswith(start)}
    with torch.no_grad():
        logits = model(**tokens).logits
    written = load_file(case / "adapter" / "adapter_model.safetensors").keys()
    of_one = sorted(written ^ peft.get_peft_model_state_dict(model).keys())
    return {"logits": float((logits - ours["logits"]).abs().max()), "of one side": of_one}


if __name__ == "__main__":
    main(*sys.argv[1:])
