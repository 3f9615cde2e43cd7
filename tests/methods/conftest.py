"""The tables of variables that methods are asked about stand in a file of their own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
