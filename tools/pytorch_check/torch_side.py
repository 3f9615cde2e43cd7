"""Answers texts with PyTorch; runs in an environment where nothing of this project is.

python torch_side.py FOLDER TEXTS.json ANSWERS.json
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch
import transformers

# The first piece of a word answers for it, and each piece for itself. They are the same where each
# word has one piece.
STRATEGIES = ("first", "simple")
# Logits [b, labels] of texts, or of two columns of them, or of their tokens [b, t, labels]; and
# what the loading had to say.
Answer = tuple[Callable[..., torch.Tensor], dict]


def main(folder: str, texts_file: str, answers_file: str) -> None:
    """Writes logits, versions and what the loading reported as JSON."""
    task = json.loads(Path(texts_file).read_text(encoding="utf-8"))
    config = transformers.AutoConfig.from_pretrained(folder)
    is_adapter = (Path(folder) / "adapter_config.json").is_file()
    shown = is_adapter or "For" not in config.architectures[0]
    answer, loading = (of_the_card if shown else of_the_library)(
        folder, task["max_length"], task.get("choices", 1)
    )
    logits = []
    for start in range(0, len(task["texts"]), 32):
        columns = zip(*task["texts"][start : start + 32], strict=True)
        found = answer(*(list(column) for column in columns)).tolist()
        if "reads" in task:  # of each token, of which some are the first of a word
            reads = task["reads"][start : start + 32]
            found = [tokens[i] for tokens, at in zip(found, reads, strict=True) for i in at]
        logits += found
    texts = [text for (text,) in task["texts"]] if task["names_parts"] else []
    answers = {
        "logits": logits,
        "entities": {} if is_adapter else entities(folder, texts),
        "labels": [config.id2label[i] for i in range(config.num_labels)],
        "loading": {name: sorted(map(str, found)) for name, found in loading.items()},
        "versions": f"torch {torch.__version__}, transformers {transformers.__version__}",
    }
    Path(answers_file).write_text(json.dumps(answers, default=float), encoding="utf-8")


def of_the_library(folder: str, max_length: int, choices: int) -> Answer:
    """The library's own classifier; of so many choices each has a text of this length."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    (name,) = transformers.AutoConfig.from_pretrained(folder).architectures
    model, loading = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
    return _logits_of(model.eval(), tokenizer, max_length), loading


def entities(folder: str, texts: list[str]) -> dict[str, list]:
    """What the library's pipeline finds in each text, by the way it puts tokens together."""
    if not texts:
        return {}
    return {
        strategy: transformers.pipeline(
            "token-classification", model=folder, aggregation_strategy=strategy
        )(texts)
        for strategy in STRATEGIES
    }


def _logits_of(model: torch.nn.Module, tokenizer: Callable, max_length: int) -> Callable:
    """Logits of a classifier."""

    def logits(*columns: list[str]) -> torch.Tensor:
        tokens = tokenizer(
            *columns, truncation=True, padding=True, max_length=max_length, return_tensors="pt"
        )
        if "ForMultipleChoice" in model.config.architectures[0]:  # each text the only choice
            tokens = {name: value[:, None] for name, value in tokens.items()}
        with torch.no_grad():
            found = model(**tokens)
        if "ForQuestionAnswering" in model.config.architectures[0]:
            return torch.stack([found.start_logits, found.end_logits], dim=-1)
        return found.logits

    return logits


def of_the_card(folder: str, max_length: int, choices: int) -> Answer:
    """The code that the model card shows, as it stands there; it reads as much as was trained."""
    card = (Path(folder) / "README.md").read_text(encoding="utf-8")
    code = card.split("```python\n")[1].split("```")[0].replace("THIS_FOLDER", folder)
    shown: dict = {}
    exec(compile(code, "README.md", "exec"), shown)
    tokenizer = shown["tokenizer"]
    if tokenizer.model_max_length != max_length * choices:
        return shown["logits"], {"max_length": [tokenizer.model_max_length]}
    if "model" in shown:  # the library's own classifier, with an adapter
        return _logits_of(shown["model"], tokenizer, max_length), {}
    if (Path(folder) / "adapter_config.json").is_file():
        return shown["logits"], {}
    _, loading = transformers.AutoModel.from_pretrained(folder, output_loading_info=True)
    missing = [name for name in loading["missing_keys"] if not name.startswith("pooler.")]
    return shown["logits"], {"missing_keys": missing}


if __name__ == "__main__":
    main(*sys.argv[1:])
