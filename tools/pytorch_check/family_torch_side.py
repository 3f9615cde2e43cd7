"""Computes the cases of `family_cases` with PyTorch; runs where nothing of this project is.

python family_torch_side.py FOLDER DIFFERENCES.json
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file


def main(folder: str, differences_file: str) -> None:
    """Writes by family the largest differences, and what the loading reported, as JSON."""
    cases = {case.name: _compared(case) for case in sorted(Path(folder).iterdir())}
    found = {
        "cases": cases,
        "versions": f"torch {torch.__version__}, transformers {transformers.__version__}",
    }
    Path(differences_file).write_text(json.dumps(found), encoding="utf-8")


def _compared(case: Path) -> dict:
    ours = load_file(case / "ours.safetensors")
    (name,) = transformers.AutoConfig.from_pretrained(case / "model").architectures
    model, loading = getattr(transformers, name).from_pretrained(
        case / "model", output_loading_info=True, attn_implementation="eager"
    )
    model.eval()
    start = "tokens/"
    tokens = {n.removeprefix(start): v for n, v in ours.items() if n.startswith(start)}
    if "ForMultipleChoice" in name:  # each text the only choice
        logits = model(**{n: v[:, None] for n, v in tokens.items()}).logits
    else:
        logits = model(**tokens).logits
    if logits.ndim == 3:  # of each word, behind which there may be padding
        logits = logits[tokens["attention_mask"] > 0]
    (ours["factors"] * logits).sum().backward()
    parameters = dict(model.named_parameters())
    gradients = {}
    zeros = [parameters.pop(n) for n in list(parameters) if f"zeros/{n}" in ours]
    if any(parameter.any() for parameter in zeros):
        raise ValueError(f"{case.name}: what is to be zeros is not")
    for name, value in ours.items():
        if name.startswith("gradients/"):
            tensor = name.removeprefix("gradients/")
            gradient = parameters.pop(tensor).grad
            gradients[tensor] = float((gradient - value).abs().max() / max(1.0, value.abs().max()))
    return {
        "logits": float((logits - ours["logits"]).abs().max()),
        "gradients": gradients,
        "not compared": sorted(n for n, p in parameters.items() if p.grad is not None),
        "loading": {name: sorted(map(str, found)) for name, found in loading.items() if found},
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
