"""What a processor multiplies is read off the flags that the system lists."""

import pytest

from tf_finetune.machine.instruction_sets import (
    instruction_sets,
    lacks_bfloat16,
    widest_vectors,
)


def test_flags_are_those_of_the_first_processor(tmp_path):
    file = tmp_path / "cpuinfo"
    file.write_text("model name\t: any\nflags\t\t: fpu sse2 avx2\n\nflags\t\t: fpu\n")

    assert instruction_sets(file) == {"fpu", "sse2", "avx2"}


def test_nothing_is_known_without_a_list(tmp_path):
    assert instruction_sets(tmp_path / "none") == frozenset()
    assert not lacks_bfloat16(frozenset())
    assert widest_vectors(frozenset()) == "instruction sets unknown"


@pytest.mark.parametrize(
    ("flags", "name", "lacks"),
    [
        ("avx avx2", "AVX2", True),
        ("avx avx2 avx_ne_convert", "AVX2", False),
        ("avx2 avx512f", "AVX-512", False),  # has no such product, but was not measured
        ("avx2 avx512f avx512_bf16", "AVX-512, AVX512_BF16", False),
        ("avx2 avx512f avx512_bf16 amx_bf16", "AVX-512, AVX512_BF16, AMX", False),
    ],
)
def test_bfloat16_is_only_ruled_out_where_nothing_is_for_it(flags, name, lacks):
    sets = frozenset(flags.split())

    assert widest_vectors(sets) == name
    assert lacks_bfloat16(sets) == lacks
