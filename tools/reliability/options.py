"""The command line that all harnesses share; `tools/chaos` gives each a folder of its own."""

import argparse
from pathlib import Path


def harness_options(name: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with the folder that a harness may fill; its own options are added to it.

    Args:
        name: Of the harness, as `tools/chaos` knows it.
        description: What it does.
    """
    parser = argparse.ArgumentParser(prog=f"tools/chaos {name}", description=description)
    parser.add_argument("--folder", type=Path, required=True, help=argparse.SUPPRESS)
    return parser
