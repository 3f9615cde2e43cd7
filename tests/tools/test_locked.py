"""The lock file and the bill of materials are those of the requirements in setup.cfg."""

import configparser
import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
OWN_NAME = "tf-finetune"


@pytest.fixture(scope="module")
def locked() -> dict[str, tuple[str, int]]:
    """Version and number of hashes of each package in the lock."""
    text = (ROOT / "tools/locked/linux-x86_64-python3.11.txt").read_text()
    found = {}
    for entry in re.split(r"\n(?=\S)", text):
        if not entry.startswith("#"):
            name, version = re.match(r"([\w.-]+)==(\S+)", entry).groups()
            found[canonicalize_name(name)] = (version, entry.count("--hash=sha256:"))
    return found


def requirements(setup: configparser.ConfigParser) -> list[Requirement]:
    lines = setup["options"]["install_requires"].splitlines()
    for extra in ("export", "notebooks", "serve", "test"):
        lines += setup["options.extras_require"][extra].splitlines()
    named = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return [requirement for requirement in named if requirement.name != OWN_NAME]


def test_every_requirement_is_locked_to_a_version_it_allows(locked):
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")

    wanted = requirements(setup)

    assert len(wanted) > 30
    for requirement in wanted:
        found, _ = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(found, prereleases=True), requirement


def test_every_locked_package_has_hashes(locked):
    assert not [name for name, (_, hashes) in locked.items() if hashes == 0]


def test_bill_of_materials_has_the_locked_versions_with_their_licences(locked):
    bill = json.loads((ROOT / "docs/sbom.cdx.json").read_text())
    listed = {
        canonicalize_name(component["name"]): component["version"]
        for component in bill["components"]
    }

    assert {name: listed.get(name) for name in locked} == {
        name: version for name, (version, _) in locked.items()
    }
    licensed = [component for component in bill["components"] if component.get("licenses")]
    assert len(licensed) > 0.8 * len(bill["components"])


def test_tensorboard_starts_with_what_is_installed():
    # The page itself needs a package that TensorBoard does not ask for.
    done = subprocess.run(
        [sys.executable, "-m", "tensorboard.main", "--version"], capture_output=True, text=True
    )

    assert (done.returncode, done.stdout.strip()) == (0, version("tensorboard")), done.stderr
