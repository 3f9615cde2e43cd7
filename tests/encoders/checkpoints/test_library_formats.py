"""What the library and TensorFlow themselves write gives the values they wrote."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.encoders.checkpoint_check import check_checkpoint
from tf_finetune.encoders.locating import EncoderFiles, resolve_encoder
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.errors import UserError
from tf_finetune.models.building import build
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.weights import Untrained
from tf_finetune.runs.model_folder import check_model_folder, write_model_folder
from tf_finetune.tasks.classes import Classes

pytestmark = pytest.mark.filterwarnings("ignore:.*save_pretrained:DeprecationWarning")


@pytest.fixture(scope="module")
def model(tiny_encoder, spec_for):
    """A model of three labels with values that Keras drew."""
    return build(spec_for(tiny_encoder, 3), Untrained())


@pytest.fixture(scope="module", params=["HDF5", "HDF5 in shards", "safetensors", "Google's"])
def written(request, model, tiny_encoder, tmp_path_factory):
    """A folder of each format, written by the library or by TensorFlow."""
    folder = tmp_path_factory.mktemp("written")
    wrapped = model.wrapped
    if request.param == "Google's":
        write_google_checkpoint(folder, model)
        config = json.loads((tiny_encoder / "config.json").read_text())
        del config["model_type"]
        (folder / "bert_config.json").write_text(json.dumps(config))
        shutil.copy(tiny_encoder / "vocab.txt", folder)
    else:
        options = {"safe_serialization": request.param == "safetensors"}
        if "shards" in request.param:
            options["max_shard_size"] = "60KB"
        wrapped.save_pretrained(folder, **options)
    return folder


def write_google_checkpoint(folder, model):
    """As Google's program does, with the optimiser's variables of its Adam."""
    values = {}
    for variable in model.table:
        value = model.by_path[variable.path].numpy()
        path = variable.path.replace("/layer_._", "/layer_")
        if variable.kind == "embedding":
            path = path.removesuffix("/weight").removesuffix("/embeddings")
        if variable.part == "head":
            path, value = f"output_{'bias' if value.ndim == 1 else 'weights'}", value.T
        values[path] = value
        values[f"{path}/adam_m"] = np.zeros_like(value)
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"),
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=list(values.values()),
    )
    # One shard's files are renamed as a saver of one device does.
    assert (folder / "bert_model.ckpt.index").is_file()


def test_all_values_are_those_of_the_model(written, model):
    files = EncoderFiles("written", written)

    assert check_checkpoint(files, 3, head_required=True) == []
    with files.checkpoint.reading() as read:
        for variable in model.table:
            value = model.by_path[variable.path].numpy()
            np.testing.assert_array_equal(read(variable), value, strict=True)


def test_a_folder_of_google_is_an_encoder(model, tiny_encoder, tmp_path):
    write_google_checkpoint(tmp_path, model)
    shutil.copy(tiny_encoder / "config.json", tmp_path / "bert_config.json")
    shutil.copy(tiny_encoder / "vocab.txt", tmp_path)

    files = resolve_encoder(str(tmp_path))

    assert files.num_layers == 3
    assert load_tokenizer(files).tokenize("The film") == ["the", "film"]
    assert [path.name for path in files.checkpoint.paths] == [
        "bert_model.ckpt.index",
        "bert_model.ckpt.data-00000-of-00001",
    ]


def test_a_model_that_began_as_googles_is_written_as_any_other(model, tiny_encoder, tmp_path):
    google = tmp_path / "google"
    google.mkdir()
    write_google_checkpoint(google, model)
    config = json.loads((tiny_encoder / "config.json").read_text())
    shutil.copy(tiny_encoder / "vocab.txt", google)
    (google / "bert_config.json").write_text(
        json.dumps({key: value for key, value in config.items() if key != "model_type"})
    )
    files = EncoderFiles("google", google)
    classifier = Classifier(model.wrapped, files, model.plan)
    labels = Classes(("a", "b", "c"))

    written = tmp_path / "model"
    write_model_folder(written, classifier, load_tokenizer(files), labels, max_length=16)

    again = check_model_folder(written)
    assert again.config["model_type"] == "bert"
    assert check_checkpoint(again, 3, head_required=True) == []
    assert load_tokenizer(again).tokenize("The film") == ["the", "film"]


def test_a_whole_keras_model_is_refused(tmp_path, tiny_encoder):
    import tf_keras

    whole = tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(1,))])
    shutil.copytree(tiny_encoder, tmp_path / "encoder")
    (tmp_path / "encoder" / "model.safetensors").unlink()
    with pytest.warns(UserWarning, match="HDF5"):
        whole.save(tmp_path / "encoder" / "tf_model.h5")

    with pytest.raises(UserError, match="tf_model.h5: is a whole Keras model, which can hold code"):
        EncoderFiles("whole", tmp_path / "encoder").checkpoint  # noqa: B018


def test_a_checkpoint_of_tensorflow_2_is_told(tmp_path, tiny_encoder):
    shutil.copy(tiny_encoder / "config.json", tmp_path)
    tf.train.Checkpoint(v=tf.Variable(1.0)).write(str(tmp_path / "bert_model.ckpt"))

    with pytest.raises(UserError, match="is a checkpoint of TensorFlow 2"):
        EncoderFiles("two", tmp_path).checkpoint  # noqa: B018


@pytest.mark.parametrize("lost", ["data", "index"])
def test_a_checkpoint_of_google_lacks_a_file(model, tiny_encoder, tmp_path, lost):
    shutil.copy(tiny_encoder / "config.json", tmp_path)
    write_google_checkpoint(tmp_path, model)
    (path,) = tmp_path.glob(f"*.{lost}*")
    path.unlink()

    with pytest.raises(UserError, match=r"data-00000-of-00001.*(no such|\.index file is missing)"):
        EncoderFiles("lost", tmp_path).checkpoint  # noqa: B018


def test_a_damaged_checkpoint_of_google_is_refused(model, tiny_encoder, tmp_path):
    shutil.copy(tiny_encoder / "config.json", tmp_path)
    write_google_checkpoint(tmp_path, model)
    (path,) = tmp_path.glob("*.data*")
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    files = EncoderFiles("damaged", tmp_path)

    with pytest.raises(UserError, match="damaged"), files.checkpoint.reading() as read:
        for variable in model.table:
            read(variable)
