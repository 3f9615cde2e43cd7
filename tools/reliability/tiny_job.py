"""A job that takes seconds: an encoder of three narrow layers, sixty texts, every output."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from transformers import BertTokenizerFast

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.locating import resolve_encoder
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.tasks.table import unnamed_labels
from trainers import export, search, train

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "plot", "was", "very"]
WORDS += ["good", "bad", "great", "dull", ",", ".", "!", *"abcdefghijklmnopqrstuvwxyz0123456789"]
WORDS += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"]
SIZES: dict[str, Any] = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
    "type_vocab_size": 2,
}


# In what random layers make of them words are soon alike, so that a model of tags has one layer.
_EPOCHS_OF_TAGS, _OF_TAGS = 60, ("freeze.depth=0", "encoder.layers=1")


def make_encoder(folder: Path, **sizes: int) -> Path:
    """Writes an encoder with random weights and its tokenizer; `sizes` replace those above."""
    config = SIZES | sizes
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(str(folder))
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    generator = np.random.default_rng(0)
    tensors = {
        v.tensor: generator.normal(float(v.kind == "norm"), 0.3, v.tensor_shape)
        for v in FAMILIES["bert"].variables(config, num_labels=2)
        if v.part != "head"
    }
    values = {name: value.astype(np.float32) for name, value in tensors.items()}
    save_file(values, folder / "model.safetensors")
    return folder


def tiny_spec(encoder: Path, depth: int, outputs: int = 2) -> Spec:
    """The model that a job of an encoder trains."""
    config = ExperimentConfig(freeze=FreezeConfig(depth=depth))
    return spec_of(config, resolve_encoder(str(encoder)), unnamed_labels("single_label", outputs))


def make_texts(path: Path) -> Path:
    """Writes sixty short texts with two labels."""
    rows = ["text,label"]
    for number in range(30):
        extra = "very " * (number % 5)
        rows.append(f"the film {number} was {extra}good and great !,pos")
        rows.append(f"the plot {number} was {extra}bad and dull .,neg")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def make_tagged(path: Path) -> Path:
    """Writes forty short texts, each word with a tag, as CoNLL columns."""
    lines = []
    for noun, word, count in itertools.product(
        ("film", "plot"), ("good", "bad", "great", "dull"), range(5)
    ):
        very = ["very O"] * count
        lines += ["the O", f"{word} B-{noun}", f"{noun} I-{noun}", "was O", *very, f"{word} O", ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def make_choices(path: Path) -> Path:
    """Writes forty short examples with two choices, of which one repeats a word of the text."""
    rows = ["text,choice0,choice1,label"]
    for noun, word, count in itertools.product(
        ("film", "plot"), ("good", "bad", "great", "dull"), range(5)
    ):
        right, wrong = f"{word} {noun}", "very , ."
        choices = (right, f'"{wrong}"') if count % 2 else (f'"{wrong}"', right)
        rows.append(f"the {noun} was {'very ' * count}{word},{','.join(choices)},{1 - count % 2}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def make_questions(path: Path) -> Path:
    """Writes forty short questions in SQuAD's form, each answered by one word of its context."""
    paragraphs = []
    for noun, word, count in itertools.product(
        ("film", "plot"), ("good", "bad", "great", "dull"), range(5)
    ):
        context = f"the {noun} was {'very ' * count}{word} !"
        answer = {"text": word, "answer_start": context.index(word)}
        asked = {"question": f"was the {noun} good ?", "id": f"{noun} {word} {count}"}
        paragraphs.append({"context": context, "qas": [asked | {"answers": [answer]}]})
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), encoding="utf-8")
    return path


def data_arguments(folder: Path, source: Path | None = None, max_length: int = 16) -> list[str]:
    """Arguments of an encoder that is made in a folder, and of a source, or of texts made there."""
    return [
        str(source or make_texts(folder / "texts.csv")),
        f"encoder.name={make_encoder(folder / 'encoder')}",
        f"data.max_length={max_length}",
        "data.validation_fraction=0.2",
        "data.test_fraction=0.2",
        "evaluation.bootstrap_resamples=100",
    ]


def job_arguments(
    folder: Path, source: Path | None = None, epochs: int = 2, max_length: int = 16
) -> list[str]:
    """Arguments of a quick run of `data_arguments`, but for its depth and its folder."""
    return [
        *data_arguments(folder, source, max_length),
        f"data.cache_dir={folder / 'cache'}",
        f"training.epochs={epochs}",
        "training.batch_size=16",
        "training.learning_rate=0.01",
    ]


def make_run(folder: Path, *options: str, formats: str) -> Path:
    """Trains and exports; gives the run's folder."""
    return _run(folder, [*job_arguments(folder), "freeze.depth=2", *options], formats)


def make_tagged_run(folder: Path, *options: str, formats: str) -> Path:
    """The same of words, for as long as it takes until some entities are found."""
    source = make_tagged(folder / "tagged.conll")
    arguments = job_arguments(folder, source, _EPOCHS_OF_TAGS)
    return _run(folder, [*arguments, *_OF_TAGS, *options], formats)


def make_choices_run(folder: Path, *options: str, formats: str) -> Path:
    """The same of choices."""
    arguments = job_arguments(folder, make_choices(folder / "choices.csv"), max_length=32)
    return _run(folder, [*arguments, "freeze.depth=2", *options], formats)


def make_questions_run(folder: Path, *options: str, formats: str) -> Path:
    """The same of questions."""
    arguments = job_arguments(folder, make_questions(folder / "questions.json"), max_length=32)
    return _run(folder, [*arguments, "freeze.depth=2", *options], formats)


def _run(folder: Path, arguments: list[str], formats: str) -> Path:
    run = folder / "run"
    train.main([*arguments, f"run.dir={run}"])
    export.main([str(run), "--to", formats])
    return run


def make_search(folder: Path) -> Path:
    """Searches two depths; gives the search's folder."""
    found = folder / "search"
    arguments = [word for word in job_arguments(folder) if "learning_rate" not in word]
    space = ["search.depths=2,3", "search.learning_rates=[1e-2]", "search.seeds=[0]"]
    space += ["search.first_answer=false"]
    search.main([*arguments, *space, f"run.dir={found}"])
    return found
