"""What a family, a task and a method have to keep; the checks stand in files of their own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
