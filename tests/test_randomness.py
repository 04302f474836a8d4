"""Seeds depend on what they are for, never on the order of work."""

from __future__ import annotations

import subprocess
import sys

from humpback.randomness import derived_seed


def test_equal_parts_equal_seed():
    assert derived_seed(0, "augment", "id") == derived_seed(0, "augment", "id") == derived_seed("0", "augment", "id")
    assert derived_seed(0, "augment", "id") == 4611686018427387904 or derived_seed(0, "augment", "id") < 2**63


def test_any_other_part_another_seed():
    seeds = {derived_seed(run, use, row) for run in range(5) for use in ("a", "b") for row in range(100)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derived_seed(1, 23) != derived_seed(12, 3)


def test_another_process_gives_the_same_seed():
    code = "from humpback.randomness import derived_seed; print(derived_seed(3, 'augment', 'grün'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == derived_seed(3, "augment", "grün")


def test_bits_are_even():
    seeds = [derived_seed("bits", number) for number in range(2000)]
    for bit in range(63):
        assert 850 < sum(seed >> bit & 1 for seed in seeds) < 1150
