"""Opens files that somebody made to do harm: nothing of them runs, escapes or is printed raw.

Pickles, Keras models with code in them, `auto_map`, YAML tags and alias bombs, headers of
safetensors and sizes of config.json that would fill the memory, object arrays, archives and
folders that lead elsewhere, files without end. Then a job whose texts, labels and file names are
HTML, script, markup and terminal escapes is trained and reported.
"""

import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tf_finetune.errors import UserError
from tools.reliability.hostile_outputs import try_outputs
from tools.reliability.hostile_payloads import Payload, open_encoder, payloads
from tools.reliability.hostile_runs import run_payloads
from tools.reliability.hostile_weights import weight_payloads
from tools.reliability.options import harness_options
from tools.reliability.tiny_job import make_encoder

_SECONDS = 10.0
_MEMORY_BYTES = 2 << 30
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def main(argv: Sequence[str]) -> int:
    """Tries all payloads and prints what went wrong; 0 if nothing did."""
    parser = harness_options("hostile", __doc__)
    arguments = parser.parse_args(argv)
    faults: list[str] = []
    tries = 0
    # One that is good is loaded, and brings in what would count as the first payload's time.
    open_encoder(make_encoder(arguments.folder / "good"))
    for number, payload in enumerate([*payloads(), *weight_payloads(), *run_payloads()]):
        folder = arguments.folder / str(number)
        folder.mkdir()
        problem = try_payload(payload, folder, arguments.folder / f"ran-{number}")
        tries += 1
        faults += [f"{payload.name}: {problem}"] if problem else []
    checks = try_outputs(arguments.folder / "outputs")
    faults += [name for name, holds in checks.items() if not holds]
    for fault in faults:
        print(f"  {fault}")
    print(f"{tries} payloads and {len(checks)} checks of outputs, {len(faults)} faults")
    return 1 if faults else 0


def try_payload(payload: Payload, folder: Path, ran: Path) -> str:
    """Plants and opens one payload; gives what is wrong with the outcome, or ""."""
    payload.plant(folder, ran)
    if ran.exists():
        return "the harness itself ran it"
    before = _begin_peak()
    began = time.monotonic()
    try:
        payload.open(folder)
        outcome = "was not refused" if payload.refused else ""
    except Exception as error:
        outcome = _fault_of(error, payload)
    seconds, grown = time.monotonic() - began, _bytes_of("VmHWM") - before
    if ran.exists():
        return "RAN"
    if seconds > _SECONDS:
        return f"took {seconds:.0f} s"
    if grown > _MEMORY_BYTES:
        return f"took {grown >> 20} MB"
    return outcome


def _fault_of(error: Exception, payload: Payload) -> str:
    message = str(error)
    if isinstance(error, UserError):  # refusing is as good as passing over
        raw = [c for c in message if not c.isprintable() and c not in "\n\t"]
        return f"prints {raw[:5]!r}" if raw else ""
    if payload.refused and isinstance(error, payload.refused_by):
        return ""
    return f"raised {type(error).__name__}: {message[:200]}"


def _begin_peak() -> int:
    """Sets the peak of this process back, so that no earlier one hides a payload's; bytes now."""
    _CLEAR.write_text("5")
    return _bytes_of("VmRSS")


def _bytes_of(quantity: str) -> int:
    """A quantity of /proc/self/status, which counts in units of 1,024 bytes."""
    found = re.search(rf"^{quantity}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"{_STATUS} has no {quantity}")
    return int(found[1]) * 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
