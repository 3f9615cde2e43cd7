"""What the TPU compiler answered, kept on disk."""

import json
import re
import subprocess
import tempfile
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tf_finetune.preflight import compiler_process
from tf_finetune.preflight.chips import Chip
from tf_finetune.preflight.environment import Compiler, last_lines
from tf_finetune.preflight.program import NoAnswerError, Program
from tf_finetune.storage.files import json_sha256, write_json

# "... temporaries (39.19G) exceeds available HBM (15.75G)"
_OUT_OF_MEMORY = re.compile(r"\(([\d.]+)([KMGT])\) exceeds available HBM \(([\d.]+)([KMGT])\)")
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_TIMEOUT_SECONDS = 1800


@dataclass(frozen=True)
class Answer:
    """What the compiler said of one step on one chip.

    Attributes:
        compiles: Whether it made a program.
        devices: Devices that a chip is, each with its share of the memory (a v4 is two); 0 where
            the compiler did not get to say.
        seconds: What compiling took.
        memory: Bytes of `arguments` (weights, slots, batch), `outputs`, `aliased` (outputs that
            take the place of arguments), `temporaries`, `program` and `peak`; empty if it does
            not compile.
        flops: Floating-point operations of the optimised program.
        bytes_accessed: Bytes that its operations read and write; on-chip memory counts too.
        error: Why it does not compile.
        needed_bytes: Memory it would need, if that is why.
        available_bytes: Memory the compiler has for it, if that is why.
    """

    compiles: bool
    devices: int
    seconds: float
    memory: dict[str, int]
    flops: float = 0.0
    bytes_accessed: float = 0.0
    error: str | None = None
    needed_bytes: float | None = None
    available_bytes: float | None = None

    @property
    def device_bytes(self) -> int:
        """Memory of a device while a step runs: all that is there at once."""
        m = self.memory
        resident = m["arguments"] + m["outputs"] - m["aliased"] + m["temporaries"] + m["program"]
        return max(resident, m["peak"])

    @property
    def out_of_memory(self) -> bool:
        """Whether the step is right and only too large."""
        return self.needed_bytes is not None

    @property
    def failed(self) -> bool:
        """Whether it stays open if the step fits; `error` says why."""
        return not self.compiles and not self.out_of_memory


class AnswerCache:
    """Answers by what was asked, and by the program that this came to.

    A question is known without TensorFlow; a program only after lowering, but is the same for
    questions that differ in nothing that matters.

    Args:
        folder: Where they are kept; made when first needed.
    """

    def __init__(self, folder: Path):
        self._folder = folder

    def find(self, question: dict[str, Any]) -> Answer | None:
        """The answer to a question that was asked before."""
        program = self._read("questions", json_sha256(question), ("key", "question"))
        return self._read_answer(program["key"]) if program else None

    def ask(
        self, question: dict[str, Any], program: Program, chip: Chip, compiler: Compiler
    ) -> Answer:
        """Compiles a program, unless that was done before, and keeps the answer.

        Not that of a program which no amount of memory would help: its message is only of use
        beside the graph that it came from.
        """
        # The digest leaves out where operations were made, which moves with every edit.
        asked = {"program": program.digest, "chip": chip.topology, "versions": compiler.versions}
        key = json_sha256(asked)
        found = self._read_answer(key)
        answer = found or compile_step(program, chip, compiler)
        if answer.failed:
            return answer
        if not found:
            self._write("programs", key, asdict(answer))
        self._write("questions", json_sha256(question), {"key": key, "question": question})
        return answer

    def _read_answer(self, key: str) -> Answer | None:
        found = self._read("programs", key, {field.name for field in fields(Answer)})
        return Answer(**found) if found else None

    def _read(self, kind: str, key: str, names: Collection[str]) -> dict[str, Any] | None:
        """What was kept; None for what is missing, damaged or of another version."""
        try:
            text = (self._folder / kind / f"{key}.json").read_text(encoding="utf-8")
            content = json.loads(text)
        except (OSError, ValueError):  # it is asked for again
            return None
        return content if isinstance(content, dict) and content.keys() == set(names) else None

    def _write(self, kind: str, key: str, content: dict[str, Any]) -> None:
        folder = self._folder / kind
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / f"{key}.json", content)


def compile_step(program: Program, chip: Chip, compiler: Compiler) -> Answer:
    """Has a program compiled in the compiler's environment.

    Raises:
        NoAnswerError: The compiler's process died or took half an hour.
    """
    with tempfile.TemporaryDirectory(prefix="tf_finetune_preflight_") as scratch:
        module, result = Path(scratch) / "step.stablehlo", Path(scratch) / "answer.json"
        module.write_bytes(program.stablehlo)
        script = compiler_process.__file__
        try:
            done = compiler.run(script, module, chip.topology, result, seconds=_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            raise NoAnswerError(
                f"preflight: compiling for {chip.name} took more than {_TIMEOUT_SECONDS // 60} "
                "minutes; a smaller batch compiles faster"
            ) from None
        if not result.exists():
            raise NoAnswerError(
                f"preflight: the compiler's process ended with code {done.returncode} and no "
                f"answer (-9: out of memory on this machine):\n{last_lines(done)}"
            )
        return read_answer(json.loads(result.read_text(encoding="utf-8")))


def read_answer(content: dict[str, Any]) -> Answer:
    """An answer from what `compiler_process` writes."""
    error = content.get("error")
    needed = available = None
    if error and (match := _OUT_OF_MEMORY.search(error)):
        needed = float(match[1]) * _UNITS[match[2]]
        available = float(match[3]) * _UNITS[match[4]]
    return Answer(
        compiles=error is None,
        devices=content["devices"],
        seconds=content["seconds"],
        memory=content.get("memory", {}),
        flops=content.get("flops", 0.0),
        bytes_accessed=content.get("bytes_accessed", 0.0),
        error=error,
        needed_bytes=needed,
        available_bytes=available,
    )
