"""What this machine's processor can compute with, as far as the system says."""

from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
# One of these is what oneDNN's products of bfloat16 are written for. Without, TensorFlow widens the
# values and multiplies float32 (docs/findings.md has what that costs).
_FOR_BFLOAT16 = frozenset({"avx512f", "avx_ne_convert", "amx_bf16"})


def instruction_sets(cpuinfo: Path = _CPUINFO) -> frozenset[str]:
    """Flags of an x86 processor, such as "avx2"; nothing where the system does not list them."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    listed = (line.partition(":")[2] for line in lines if line.startswith("flags"))
    return frozenset(next(listed, "").split())


def widest_vectors(sets: frozenset[str]) -> str:
    """A name for people: the widest vectors, and what multiplies bfloat16."""
    widest = next((name for name in ("avx512f", "avx2", "avx") if name in sets), None)
    if widest is None:
        return "instruction sets unknown"
    named = [{"avx512f": "AVX-512"}.get(widest, widest.upper())]
    of_bfloat16 = {"avx512_bf16": "AVX512_BF16", "amx_bf16": "AMX"}
    return ", ".join(named + [name for flag, name in of_bfloat16.items() if flag in sets])


def lacks_bfloat16(sets: frozenset[str]) -> bool:
    """Whether it is known that nothing here multiplies bfloat16 faster than float32."""
    return bool(sets) and not sets & _FOR_BFLOAT16
