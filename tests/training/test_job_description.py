"""What a job says of itself, to people and to its other processes."""

import shutil
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from tf_finetune.config.sections import ExperimentConfig
from tf_finetune.encoders import EncoderFiles
from tf_finetune.training import job_description, job_digest


@pytest.fixture
def digest(splits, tiny_encoder_files):
    """The digest of the tiny job, or of one that differs from it."""

    def digest_of(path=tiny_encoder_files.path, **sections):
        config = ExperimentConfig.model_validate({"encoder": {"name": "tiny"}, **sections})
        return job_digest(config, EncoderFiles("tiny", Path(path)), splits)

    return digest_of


def test_processes_with_equal_jobs_have_one_digest(digest, tiny_encoder, tmp_path):
    elsewhere = shutil.copytree(tiny_encoder, tmp_path / "elsewhere")

    assert digest(elsewhere, data={"cache_dir": "/of/its/own"}) == digest()


def test_other_weights_of_an_encoder_of_the_same_name_are_another_job(
    digest, tiny_encoder, tmp_path
):
    elsewhere = shutil.copytree(tiny_encoder, tmp_path / "elsewhere")
    weights = load_file(elsewhere / "model.safetensors")
    first = min(weights)
    save_file(weights | {first: weights[first] + 1}, elsewhere / "model.safetensors")

    assert digest(elsewhere) != digest()


def test_another_version_or_option_is_another_job(digest, monkeypatch):
    expected = digest()

    assert digest(training={"batch_size": 7}) != expected
    monkeypatch.setattr(job_description, "installed_version", lambda _name: "0.0.9")
    assert digest() != expected
