"""Takes encoders from the hub's local cache, or downloads them."""

import os
from pathlib import Path

from tf_finetune.encoders.checkpoints.opening import (
    ACCEPTED,
    FORMATS,
    WEIGHTS_FILE,
    find_weights,
)
from tf_finetune.encoders.config_file import CONFIG_FILE, GOOGLE_CONFIG_FILE, has_config
from tf_finetune.encoders.packages import is_supported, model_packages
from tf_finetune.encoders.sentence_folder import MODULES_FILE, POOLING_FOLDER
from tf_finetune.encoders.tokenizer_files import TOKENIZER_FILES
from tf_finetune.errors import UserError

DEFAULT_HUB_NAME = "google-bert/bert-base-uncased"
# What is downloaded beside the weights.
HUB_FILES = [
    *(CONFIG_FILE, GOOGLE_CONFIG_FILE, *TOKENIZER_FILES),
    *(MODULES_FILE, f"{POOLING_FOLDER}/config.json"),
]


def is_offline() -> bool:
    """Whether the user has forbidden the hub (HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE)."""
    values = (os.environ.get("HF_HUB_OFFLINE", ""), os.environ.get("TRANSFORMERS_OFFLINE", ""))
    return any(value.upper() in ("1", "ON", "YES", "TRUE") for value in values)


def cached_models() -> list[str]:
    """Names of the supported models in the hub's local cache, sorted; nothing is downloaded."""
    from huggingface_hub import constants

    found = []
    for folder in Path(constants.HF_HUB_CACHE).glob("models--*"):
        revisions = folder / "snapshots"
        if revisions.is_dir() and any(is_supported(snapshot) for snapshot in revisions.iterdir()):
            found.append(folder.name.removeprefix("models--").replace("--", "/"))
    return sorted(found)


def hub_folder(name: str) -> Path:
    """Takes a hub model from the local cache, or downloads it.

    Raises:
        UserError: There is no such model, it cannot be reached, or it has no weights.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    wanted = " ".join([CONFIG_FILE, WEIGHTS_FILE, *HUB_FILES[1:]])
    fetch = f"huggingface-cli download {name} {wanted}"
    try:
        cached = Path(snapshot_download(name, local_files_only=True))
        missing = _missing(cached)
        if not missing:
            return cached
    except LocalEntryNotFoundError:
        missing = []
    except HFValidationError:
        raise UserError(
            f"encoder.name: received {name!r}; accepted: a folder, package:NAME or a hub name "
            f"such as {DEFAULT_HUB_NAME}"
        ) from None
    if is_offline():
        what = f"{' and '.join(missing)} of {name}" if missing else name
        raise UserError(
            f"encoder.name: {what} is not in the local hub cache, and the hub is switched off "
            "(HF_HUB_OFFLINE)",
            hint=f"On a machine with network: {fetch}",
        )
    try:
        # One kind of weights after the other: most models have several, each as large.
        for kind in FORMATS:
            patterns = [*HUB_FILES, kind.pattern, *filter(None, [kind.others])]
            folder = Path(snapshot_download(name, allow_patterns=patterns))
            if find_weights(folder):
                return folder
    except GatedRepoError:
        raise UserError(
            f"encoder.name: {name} needs an accepted licence", hint="Log in: huggingface-cli login"
        ) from None
    except RepositoryNotFoundError:
        raise UserError(f"encoder.name: the hub has no model {name}") from None
    except (OSError, LocalEntryNotFoundError) as error:
        raise UserError(
            f"encoder.name: {name} is neither a local folder nor in the hub cache, and the hub "
            f"could not be reached ({type(error).__name__})",
            hint="Accepted: a folder, package:NAME (installed: "
            f"{', '.join(model_packages()) or 'none'}), or on a machine with network: {fetch}",
        ) from None
    raise UserError(
        f"encoder.name: the model {name} of the hub has no weights that are read; "
        f"accepted: {ACCEPTED}"
    )


def _missing(folder: Path) -> list[str]:
    """What a model that was downloaded lacks."""
    missing = [] if has_config(folder) else [CONFIG_FILE]
    return missing if find_weights(folder) else [*missing, WEIGHTS_FILE]
