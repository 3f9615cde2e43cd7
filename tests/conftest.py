"""Fixtures for all tests."""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace

# Have to be set before anything imports TensorFlow; the second as tf_finetune sets it.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings

# An example takes as long as the machine is busy.
settings.register_profile("busy", settings(), deadline=None)
settings.load_profile("busy")

NETWORK_WATCH = Path(__file__).parent / "network_watch"
sys.path.insert(0, str(NETWORK_WATCH))
from network_watch import VARIABLE, watch  # noqa: E402

from tests.untraced import untraced  # noqa: E402

TINY_VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ",", ".", "!", "?"),
    *("the", "a", "film", "was", "is", "good", "bad", "great", "dull", "not", "very", "and", "but"),
    *("plot", "actors", "fine", "poor", "un", "##watch", "##able", "##ing", "##ly", "##s", "never"),
    *"abcdefghijklmnopqrstuvwxyz0123456789"[1:],
    *(f"##{letter}" for letter in "abcdefghijklmnopqrtuvwxyz0123456789"),
]
TINY_SIZES = {
    "hidden": 32,
    "layers": 3,
    "heads": 4,
    "inner": 64,
    "positions": 64,
    "types": 2,
    "embedding": 16,
    "groups": 2,
}


def tiny_config(family: Any) -> dict[str, Any]:
    """config.json of a tiny encoder of a family, but for the number of its tokens."""
    keys = {name: key for name, key in family.size_keys.items() if name != "vocabulary"}
    return {
        "model_type": family.model_type,
        "architectures": [
            family.classifier_class[2:].replace("ForSequenceClassification", "Model")
        ],
        **{key: TINY_SIZES[name] for name, key in keys.items()},
        **dict.fromkeys(family.dropout_keys[:2], 0.1),
        **{k: a.values[0] for k, a in family.accepted.items() if a.default not in a.values},
        "initializer_range": 0.02,
    }


def pytest_configure(config: pytest.Config) -> None:
    """Registers the mark of modules that compute without traces, which only tests/ know."""
    config.addinivalue_line(
        "markers",
        "eager: computes without traces, which take longer than the few steps of a tiny run. For "
        "modules whose subject is what a command makes of a run; what is traced is for "
        "tests/training.",
    )
    # What it asks for, and functions of tf.data are traced all the same.
    config.addinivalue_line("filterwarnings", "ignore:Even though the `tf.config")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long modules first, so that no process has one left when the other has finished."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """What all modules have imported stays: looking for garbage there takes a tenth of a trace."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session")
def tiny_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A BERT tokenizer with about a hundred tokens; every lower-case word can be spelt."""
    from transformers import BertTokenizerFast

    vocabulary: Path = tmp_path_factory.mktemp("tiny_tokenizer") / "vocab.txt"
    vocabulary.write_text("\n".join(TINY_VOCABULARY), encoding="utf-8")
    return BertTokenizerFast(vocab_file=str(vocabulary))


@pytest.fixture(scope="session")
def byte_level_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """RoBERTa's kind: pieces of bytes, no token types, positions of its special tokens too."""
    from transformers import RobertaTokenizerFast

    folder = tmp_path_factory.mktemp("byte_level_tokenizer")
    files = byte_level_files(folder, "<s>", "<pad>", "</s>", "<unk>", "<mask>")
    return RobertaTokenizerFast(*files)


@pytest.fixture(scope="session")
def unmarked_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """GPT-2's kind: pieces of bytes, no marks at the ends of a text, and nothing to pad with."""
    from transformers import GPT2TokenizerFast

    return GPT2TokenizerFast(
        *byte_level_files(tmp_path_factory.mktemp("unmarked_tokenizer"), "<|endoftext|>")
    )


def byte_level_files(folder: Path, *special: str) -> tuple[str, str]:
    """Write vocab.json, the special pieces first, and merges.txt."""
    from tokenizers import pre_tokenizers

    merges = ["Ġ w", "Ġw a", "Ġwa s", "o o", "oo d", "g ood"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*special, *letters, *(merge.replace(" ", "") for merge in merges)]
    vocabulary, rules = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({p: n for n, p in enumerate(pieces)}))
    rules.write_text("\n".join(["#version: 0.2", *merges, ""]))
    return str(vocabulary), str(rules)


@pytest.fixture(scope="session")
def unigram_tokenizer() -> Any:
    """XLM-R's kind: likely pieces of a text in which a mark stands for each space."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import XLMRobertaTokenizerFast

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    words = ["▁the", "▁film", "▁was", "▁good", "▁dull", "ing", "很好", "电影"]
    letters = ["▁", *"abcdefghijklmnopqrstuvwxyz0123456789.,!很好看电影这部。"]
    scored = [(p, 0.0) for p in special] + [(p, -2.0) for p in words] + [(p, -6.0) for p in letters]
    backend = Tokenizer(models.Unigram([*scored, ("<mask>", 0.0)], unk_id=3))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return XLMRobertaTokenizerFast(tokenizer_object=backend)


_asked: list[str] = []
watch(_asked.append)


@pytest.fixture(scope="session", autouse=True)
def asked_by_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File of what the processes that tests start ask of other machines."""
    path = tmp_path_factory.mktemp("network") / "asked"
    os.environ[VARIABLE] = str(path)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, (str(NETWORK_WATCH), os.environ.get("PYTHONPATH")))
    )
    return path


@pytest.fixture(autouse=True)
def off_the_network(asked_by_processes: Path) -> Iterator[None]:
    """No command looks for another machine, not even where it would go on without."""
    yield
    asked = _asked.copy()  # shared fixtures' too, which come before
    _asked.clear()
    if asked_by_processes.exists():
        asked += asked_by_processes.read_text().splitlines()
        asked_by_processes.unlink()
    assert asked == []


@pytest.fixture(scope="session")
def forked_python(
    asked_by_processes: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A Python for `-m MODULE ARGUMENT...` that has imported TensorFlow; see forked_python.py."""
    from tests.forked_python import executable, stay

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # one for all of them
    folder = folder / "forked"
    with FileLock(folder.with_suffix(".lock")):
        folder.mkdir(exist_ok=True)
        try:
            connection = stay(folder)
        except OSError:
            subprocess.run(
                [sys.executable, "-m", "tests.forked_python", str(folder)],
                cwd=Path(__file__).parents[1],
                env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
                start_new_session=True,
                check=True,
            )
            connection = stay(folder)
    yield str(executable(folder))
    connection.close()


@pytest.fixture(scope="session", autouse=True)
def two_cpu_devices() -> None:
    """Two logical CPUs, so that replicas are tested everywhere.

    Nothing is loaded for tests that need no TensorFlow: whoever wants both devices imports it
    at the top of the module, and so before the first test runs.
    """
    if "tensorflow" not in sys.modules:
        return
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


@pytest.fixture(scope="module", autouse=True)
def traced_or_eager(request: pytest.FixtureRequest, two_cpu_devices: None) -> Iterator[None]:
    """Modules with the mark `eager` compute without traces, what their own fixtures do too."""
    with untraced() if request.node.get_closest_marker("eager") else nullcontext():
        yield


@pytest.fixture(scope="session")
def make_encoder(tiny_tokenizer: Any) -> Callable[..., Path]:
    """Write an encoder of three layers with random weights and give its folder.

    `change` gets the tensors by name and may change them; `sizes` replace those of config.json and
    of the tensors, and other keywords go to config.json alone.
    """
    import numpy as np
    from safetensors.numpy import save_file

    from tf_finetune.encoders.families.table import FAMILIES

    def make(
        folder: Path,
        change: Callable[[dict[str, Any]], dict[str, Any]] = lambda tensors: tensors,
        tokenizer: Any = tiny_tokenizer,
        sizes: dict[str, Any] | None = None,
        **config: Any,
    ) -> Path:
        family = FAMILIES[config.get("model_type", "bert")]
        rows = {"vocab_size": max(tokenizer.get_vocab().values()) + 1}
        drawn = tiny_config(family) | rows | (sizes or {})
        generator = np.random.default_rng(0)
        tensors = {
            v.tensor: generator.normal(
                1.0 if v.path.endswith("/gamma") else 0.0, 0.3, v.tensor_shape
            )
            for v in family.variables(drawn, num_labels=2)
            if v.part != "head"
        }
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save_pretrained(str(folder))
        (folder / "config.json").write_text(json.dumps(drawn | config))
        values = change({name: value.astype(np.float32) for name, value in tensors.items()})
        save_file(values, folder / "model.safetensors")
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_encoder(make_encoder: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an encoder with three layers 32 wide; nobody may change it."""
    return make_encoder(tmp_path_factory.mktemp("tiny_encoder"))


@pytest.fixture(scope="session")
def bert_base() -> dict[str, int]:
    """The sizes of BERT-base, as its config.json has them."""
    return {
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
    }


@pytest.fixture(scope="session")
def spec_for() -> Callable[..., Any]:
    """Give the spec of a model: its folder, its labels or their number, sections of options."""
    from tf_finetune.config.experiment import ExperimentConfig
    from tf_finetune.encoders.locating import EncoderFiles
    from tf_finetune.models.spec import Spec, spec_of
    from tf_finetune.tasks.table import unnamed_labels

    def make(folder: Any, labels: Any = 2, **sections: Any) -> Spec:
        files = folder if isinstance(folder, EncoderFiles) else EncoderFiles(folder.name, folder)
        encoder = sections.get("encoder", {})
        files = replace(
            files,
            wanted_pooling=encoder.get("pooling", files.wanted_pooling),
            wanted_layers=encoder.get("layers", files.wanted_layers),
        )
        if isinstance(labels, int):
            labels = unnamed_labels("single_label", labels)
        return spec_of(ExperimentConfig.model_validate(sections), files, labels)

    return make


@pytest.fixture(scope="session")
def tiny_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 60 short reviews with the labels neg and pos; nobody may change it."""
    path = tmp_path_factory.mktemp("tiny_csv") / "reviews.csv"
    rows = ["text,label"]
    for number in range(30):
        extra = " ".join("very" for _ in range(number % 7))
        rows.append(f"the film {number} was {extra} good and great !,pos")
        rows.append(f"the plot {number} was {extra} bad and dull .,neg")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_job(
    tiny_csv: Path, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """Arguments of a command: the reviews, the encoder, and a folder for what is read of them."""
    cache = tmp_path_factory.mktemp("token_cache")
    return [str(tiny_csv), f"encoder.name={tiny_encoder}", f"data.cache_dir={cache}"]
