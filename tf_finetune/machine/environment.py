"""Prepares the process for TensorFlow with Keras 2, and checks what is installed.

`transformers` 4 builds its TensorFlow models on Keras 2, which lives on as `tf-keras`.
`tf.keras` only means that package when `TF_USE_LEGACY_KERAS=1` is set before TensorFlow
loads, so importing `tf_finetune` sets it. Nothing here imports TensorFlow.
"""

import os
import sys
import warnings
from dataclasses import dataclass
from importlib import metadata

from tf_finetune.errors import UserError

TESTED_VERSIONS = {
    "tensorflow": "2.20",
    "tf-keras": "2.20",
    "transformers": "4.54",
    "keras-tuner": "1.4",
}


@dataclass(frozen=True)
class Finding:
    """One line of what `doctor` found.

    Attributes:
        level: "ok", "warning" (works, but) or "error" (will not work).
        subject: What was looked at, for example "transformers".
        message: What was found.
        remedy: What to do, in plain words; empty when nothing is to be done.
    """

    level: str
    subject: str
    message: str
    remedy: str = ""


def prepare() -> None:
    """Sets the switches that must be set before TensorFlow or transformers load."""
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    # TensorFlow logs an error for every machine without a GPU; its exceptions say the rest.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    if installed_version("tensorflow-tpu"):
        # transformers looks for TensorFlow among installed names, and does not know this one.
        os.environ.setdefault("FORCE_TF_AVAILABLE", "1")
    # The deprecation of the TensorFlow classes is why transformers is pinned; see setup.cfg.
    warnings.filterwarnings("ignore", message="TensorFlow and JAX classes are deprecated")
    # What transformers says in a notebook without ipywidgets; its bars are not shown here.
    warnings.filterwarnings("ignore", message="IProgress not found")


def installed_version(distribution: str) -> str | None:
    """Version of an installed distribution, or None."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def check_imported() -> None:
    """Refuses libraries of which another version was installed after they had been imported.

    A notebook that has used TensorFlow before it installs this has the old one in memory.

    Raises:
        UserError: With each of them.
    """
    problems = []
    for distribution in (*TESTED_VERSIONS, "numpy"):
        loaded = getattr(sys.modules.get(distribution.replace("-", "_")), "__version__", None)
        installed = installed_version(distribution)
        if loaded and installed and _release(loaded) != _release(installed):
            problems.append(
                f"{distribution} {loaded} was imported before {installed} was installed; accepted: "
                "a restarted session (a notebook's kernel), with tf_finetune imported first"
            )
    if problems:
        raise UserError(problems)


def _release(version: str) -> tuple[int, int]:
    major, minor = (version.split(".") + ["0"])[:2]
    return int(major), int("".join(c for c in minor if c.isdigit()) or 0)


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Python 3.10 to 3.12: the versions that TensorFlow 2.20 and this project are tested on."""
    text = ".".join(map(str, version))
    if (3, 10) <= version <= (3, 12):
        return Finding("ok", "python", text)
    return Finding(
        "error",
        "python",
        f"{text} is outside 3.10 to 3.12",
        "make a virtual environment with Python 3.10, 3.11 or 3.12",
    )


def check_versions(versions: dict[str, str | None] | None = None) -> list[Finding]:
    """Compares the installed stack with the ways in which it is known to break.

    Args:
        versions: Distribution name to version or None when it is missing; by default what
            is installed. The names are those of `TESTED_VERSIONS` and "tensorflow-tpu".

    Returns:
        One finding a distribution, in the order of `TESTED_VERSIONS`.
    """
    if versions is None:
        versions = {n: installed_version(n) for n in (*TESTED_VERSIONS, "tensorflow-tpu")}
    tensorflow = versions.get("tensorflow") or versions.get("tensorflow-tpu")
    findings = [
        _check_tensorflow(tensorflow),
        _check_tf_keras(versions.get("tf-keras"), tensorflow),
    ]
    findings.append(_check_transformers(versions.get("transformers")))
    tuner = versions.get("keras-tuner")
    if tuner is None:
        findings.append(
            Finding("error", "keras-tuner", "not installed", 'pip install "keras-tuner~=1.4.8"')
        )
    else:
        findings.append(Finding("ok", "keras-tuner", tuner))
    return findings


def _check_tensorflow(version: str | None) -> Finding:
    if version is None:
        return Finding("error", "tensorflow", "not installed", 'pip install "tensorflow==2.20.*"')
    if _release(version) != (2, 20):
        return Finding(
            "warning",
            "tensorflow",
            f"{version} is installed; tested with 2.20",
            'pip install "tensorflow==2.20.*" "tf-keras==2.20.*"',
        )
    return Finding("ok", "tensorflow", version)


def _check_tf_keras(version: str | None, tensorflow: str | None) -> Finding:
    wanted = "{}.{}".format(*_release(tensorflow)) if tensorflow else "2.20"
    remedy = f'pip install "tf-keras=={wanted}.*"'
    if version is None:
        return Finding(
            "error",
            "tf-keras",
            "not installed: tf.keras is then Keras 3, on which transformers' TensorFlow "
            "models do not work",
            remedy,
        )
    if tensorflow and _release(version) != _release(tensorflow):
        return Finding(
            "error",
            "tf-keras",
            f"{version} does not belong to TensorFlow {tensorflow}: both need the same minor "
            "version",
            remedy,
        )
    return Finding("ok", "tf-keras", version)


def _check_transformers(version: str | None) -> Finding:
    remedy = 'pip install "transformers==4.54.1"'
    if version is None:
        return Finding("error", "transformers", "not installed", remedy)
    release = _release(version)
    if release >= (5, 0):
        return Finding(
            "error", "transformers", f"{version} has no TensorFlow models (4 was the last)", remedy
        )
    if release >= (4, 55):
        return Finding(
            "error",
            "transformers",
            f"{version} cannot load model.safetensors into a TensorFlow model (TypeError: "
            "'builtins.safe_open' object is not iterable); 4.54 is the last that can",
            remedy,
        )
    if release < (4, 54):
        return Finding("warning", "transformers", f"{version}: tested with 4.54", remedy)
    return Finding("ok", "transformers", version)


def check_keras_switch() -> Finding:
    """Whether `tf.keras` is (or will be) Keras 2 in this process."""
    if os.environ.get("TF_USE_LEGACY_KERAS") not in ("1", "true", "True"):
        return Finding(
            "error",
            "keras switch",
            f"TF_USE_LEGACY_KERAS is {os.environ.get('TF_USE_LEGACY_KERAS')!r}, so tf.keras is "
            "Keras 3",
            "unset it, or set TF_USE_LEGACY_KERAS=1, before Python starts",
        )
    keras = sys.modules.get("keras")
    loaded = getattr(keras, "__version__", "")
    if "tensorflow" in sys.modules and "tf_keras" not in sys.modules and loaded.startswith("3"):
        return Finding(
            "error",
            "keras switch",
            f"TensorFlow was imported before tf_finetune and took Keras {loaded}",
            "import tf_finetune first, or set TF_USE_LEGACY_KERAS=1 before Python starts",
        )
    return Finding("ok", "keras switch", "tf.keras is Keras 2 (tf-keras)")
