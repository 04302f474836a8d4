"""Equal and similar texts over a whole corpus: what goes, what stays for it, and that nothing else decides it."""

from __future__ import annotations

import pickle
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from humpback.config import NearDuplicateConfig
from humpback.corpus import comparing, signature_table
from humpback.corpus import signatures as signatures_module
from humpback.corpus.near_duplicates import DuplicateMap, equal_rows, find_duplicates
from humpback.corpus.signatures import BANDS, PERMUTATIONS, fold, signatures
from humpback.records import DropReason

CONFIG = NearDuplicateConfig()
VOCABULARY = [f"{head}{tail}" for head in "bcdfghklmnprstv" for tail in ("ale", "ink", "orn", "usk", "emp", "yth")]


def prose(seed: int, words: int = 200) -> str:
    """Words at random, in lines of ten: two such texts share one run of two words in ninety."""
    generator = random.Random(seed)
    drawn = [generator.choice(VOCABULARY) + generator.choice(("", "s", "ing", "ed")) for _ in range(words)]
    return "\n".join(" ".join(drawn[start : start + 10]) for start in range(0, words, 10))


def edited(text: str, share: float, seed: int) -> str:
    """The text with a share of its words replaced by new ones."""
    generator = random.Random(seed)
    tokens = text.split()
    for place in generator.sample(range(len(tokens)), round(share * len(tokens))):
        tokens[place] = f"new{generator.randrange(10**6)}"
    return " ".join(tokens)


def write_parts(folder: Path, texts: Sequence[str], *sizes: int) -> list[Path]:
    """Parquet parts with so many rows each, the rest in the last."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    start = 0
    for number, size in enumerate([*sizes, len(texts)]):
        part = folder / f"part-{number:05d}.parquet"
        pq.write_table(pa.table({"text": pa.array(texts[start : start + size], pa.string())}), part)
        parts.append(part)
        start += size
    return parts


def search(folder: Path, texts: Sequence[str], *sizes: int, config: NearDuplicateConfig = CONFIG) -> DuplicateMap:
    return find_duplicates(folder / "signatures", write_parts(folder / "parts", texts, *sizes), config)


def kept_for(found: DuplicateMap) -> list[int | None]:
    return [double and double.kept for double in map(found.of, range(len(found)))]


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.2])
def test_edited_copies_are_found(tmp_path, share):
    bases = [prose(seed) for seed in range(60)]
    copies = [edited(base, share, seed) for seed, base in enumerate(bases)]
    found = search(tmp_path, [*bases, *copies])
    pairs = {frozenset((row, kept)) for row, kept in enumerate(kept_for(found)) if kept is not None}
    planted = {frozenset((row, row + 60)) for row in range(60)}
    assert pairs <= planted
    assert len(pairs) >= (60 if share <= 0.1 else 48)


def test_equal_texts_go_whatever_their_case_white_space_and_typography(tmp_path):
    found = search(tmp_path, ["One's “own”  text", "another", 'ONE’S "own"\n\ntext ', "another text"])
    assert kept_for(found) == [None, None, 0, None]
    double = found.of(2)
    assert double is not None
    assert (double.reason, double.similarity) == (DropReason.DUPLICATE, 1.0)


def test_the_longer_text_stays_and_of_equally_long_ones_the_first(tmp_path):
    base, other = prose(1), prose(2)
    texts = [base, f"{base} some more words", other, other.replace(other[:4], "blub", 1)]
    assert len(texts[2]) == len(texts[3])
    found = search(tmp_path, texts)
    assert kept_for(found) == [1, None, None, 2]
    double = found.of(0)
    assert double is not None
    assert double.reason == DropReason.NEAR_DUPLICATE
    assert 0.95 < double.similarity < 1


def test_a_copy_of_a_text_that_goes_names_the_one_that_stays(tmp_path):
    base = prose(1)
    found = search(tmp_path, [base, f"{base} and more", base])
    assert kept_for(found) == [1, None, 1]
    assert found.of(2) == found.of(0)


def test_a_chain_of_changes_does_not_join_its_ends(tmp_path):
    words = [prose(seed, 100).replace("\n", " ") for seed in range(4)]
    first = " ".join(words[:3])
    middle = " ".join(words[1:3])
    last = f"{' '.join(words[2:])[: len(middle) - 10]}"
    found = search(tmp_path, [first, middle, last])
    assert kept_for(found) == [None, 0, None]  # `last` has half of `middle`, which went, and a third of `first`


def test_a_passage_in_common_makes_no_near_duplicate(tmp_path):
    shared = prose(1, 130)
    left, right = f"{prose(2, 70)} {shared}", f"{shared} {prose(3, 70)}"
    found = search(tmp_path, [left, right])
    assert kept_for(found) == [None, None]  # Jaccard .48, above the bound, but a third of each is its own
    inside = search(tmp_path / "inside", [left, shared])
    assert kept_for(inside) == [None, 0]


def test_where_parts_end_changes_nothing(tmp_path):
    bases = [prose(seed) for seed in range(40)]
    texts = [*bases, *(edited(base, 0.1, seed) for seed, base in enumerate(bases)), *bases[:5]]
    random.Random(0).shuffle(texts)
    whole = search(tmp_path / "whole", texts)
    cut = search(tmp_path / "cut", texts, 1, 0, 33, 7)
    assert [whole.of(row) for row in range(85)] == [cut.of(row) for row in range(85)]
    assert kept_for(whole).count(None) == 40


def test_in_another_order_the_same_texts_stay(tmp_path):
    bases = [prose(seed) for seed in range(40)]
    copies = [f"{edited(base, 0.1, seed)} and a word more" for seed, base in enumerate(bases)]
    assert all(len(fold(base)) < len(fold(copy)) for base, copy in zip(bases, copies, strict=True))
    shuffled = random.Random(0).sample([*bases, *copies], 80)
    kept = kept_for(search(tmp_path, shuffled))
    assert {text for text, one in zip(shuffled, kept, strict=True) if one is None} == set(copies)


def test_parts_may_be_signed_in_any_order_by_others(tmp_path):
    def backwards(function, parts: Sequence[Path]) -> Iterator[None]:
        yield from [function(part) for part in reversed(list(parts))]

    texts = [prose(seed % 30) if seed < 60 else prose(seed) for seed in range(80)]
    parts = write_parts(tmp_path / "parts", texts, 11, 30)
    found = find_duplicates(tmp_path / "one", parts, CONFIG, backwards)
    assert kept_for(found) == kept_for(find_duplicates(tmp_path / "other", parts, CONFIG))


@pytest.mark.parametrize("texts", [[], [""], [prose(1)], ["", "", "a"]])
def test_tiny_corpora(tmp_path, texts):
    assert kept_for(search(tmp_path, texts)) == [None, 0, None][: len(texts)]


def test_short_texts_have_no_near_duplicates(tmp_path):
    nineteen = " ".join(f"word{number}" for number in range(19))
    assert kept_for(search(tmp_path, [nineteen, f"{nineteen}x"])) == [None, None]
    twenty = f"word {nineteen}"
    assert kept_for(search(tmp_path / "longer", [twenty, f"{twenty}x"])) == [1, None]


def test_switched_off_only_equal_texts_go(tmp_path):
    base = prose(1)
    found = search(tmp_path, [base, edited(base, 0.02, 1), base], config=NearDuplicateConfig(enabled=False))
    assert kept_for(found) == [None, None, 0]


def test_a_higher_bound_keeps_more(tmp_path):
    base = prose(1)
    texts = [base, edited(base, 0.1, 1)]  # some .68 alike
    assert kept_for(search(tmp_path / "low", texts)).count(None) == 1
    assert kept_for(search(tmp_path / "high", texts, config=NearDuplicateConfig(similarity=0.9))) == [None, None]


def test_languages_without_spaces(tmp_path):
    generator = random.Random(1)
    characters = "".join(chr(0x4E00 + generator.randrange(800)) for _ in range(500))
    other = "".join(chr(0x4E00 + generator.randrange(800)) for _ in range(500))
    changed = list(characters)
    for place in generator.sample(range(500), 25):
        changed[place] = chr(0x5000 + generator.randrange(800))
    found = search(tmp_path, [characters, other, "".join(changed)])
    assert kept_for(found) == [None, None, 0]


def test_texts_with_the_same_keys_are_still_compared(tmp_path, monkeypatch):
    """Every text in one bucket of every band: what agrees in the positions goes, and nothing else."""
    monkeypatch.setattr(
        signatures_module, "_band_keys", lambda minima: np.zeros((len(minima), signatures_module.BANDS), np.uint32)
    )
    bases = [prose(seed) for seed in range(8)]
    found = search(tmp_path, [*bases, edited(bases[3], 0.05, 1)])
    assert kept_for(found).count(None) == 8
    assert {3, 8} & {row for row, kept in enumerate(kept_for(found)) if kept is not None}


def test_a_template_filled_in_two_thousand_times_takes_no_time(tmp_path):
    frame = prose(1, 180)
    pages = [f"{frame} {prose(seed, 12)} {'tail ' * (seed % 7)}" for seed in range(2, 2002)]
    began = time.monotonic()
    found = search(tmp_path, [*pages, prose(5000)])
    assert time.monotonic() - began < 20
    kept = kept_for(found)
    assert kept[2000] is None
    assert kept.count(None) <= 1 + 20  # one page in a hundred is by chance unlike the longest one


def test_whoever_is_named_stays(tmp_path):
    pages = [edited(prose(seed % 10), 0.08, seed) for seed in range(400)]  # two of a family are some .55 alike
    found = search(tmp_path, pages)
    kept = kept_for(found)
    assert all(kept[one] is None for one in kept if one is not None)
    assert 10 <= kept.count(None) < 20


def test_a_killed_run_goes_on_and_ends_alike(tmp_path, monkeypatch):
    texts = [prose(seed % 25) if seed < 40 else prose(seed) for seed in range(60)]
    parts = write_parts(tmp_path / "parts", texts, 20, 20)
    folder = tmp_path / "signatures"

    def dying(function, missing: Sequence[Path]) -> Iterator[None]:
        yield function(missing[0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_duplicates(folder, parts, CONFIG, dying)
    assert [file.name for file in folder.iterdir()] == ["part-00000.npy"]
    signed: list[Path] = []
    monkeypatch.setattr(signature_table, "signatures_of_part", _counted(signed))
    found = find_duplicates(folder, parts, CONFIG)
    assert signed == parts[1:]
    monkeypatch.undo()
    assert kept_for(found) == kept_for(find_duplicates(tmp_path / "fresh", parts, CONFIG))


def _counted(signed: list[Path]):
    def counted(part: Path, *, near: bool) -> np.ndarray:
        signed.append(part)
        return signatures_module.signatures_of_part(part, near=near)

    return counted


@pytest.mark.parametrize("rows", [7, 60, 1000])
def test_a_corpus_in_many_buckets_that_others_compare_ends_alike(tmp_path, monkeypatch, rows):
    families = [edited(prose(seed % 40), 0.02 * (seed % 11), seed) for seed in range(400)]
    parts = write_parts(tmp_path / "parts", [*families, families[3], families[8].upper()], 150, 0, 90)
    wanted = find_duplicates(tmp_path / "one", parts, CONFIG)
    monkeypatch.setattr(signature_table, "BUCKET_ROWS", rows)
    elsewhere = Elsewhere()
    found = find_duplicates(tmp_path / "many", parts, CONFIG, executor=elsewhere)
    assert [found.of(row) for row in range(402)] == [wanted.of(row) for row in range(402)]
    assert (elsewhere.items > BANDS) == (rows < 402)
    assert None in kept_for(found)
    assert len(set(kept_for(found))) > 30


class Elsewhere:
    """Brings pickled work to the items in any order, and some of them twice."""

    sees_folder = True
    items = 0

    def run(self, work, items, done, *, light=False) -> None:
        assert light
        packed = [pickle.dumps(item) for item in items]
        random.Random(self.items).shuffle(packed)
        self.items += len(packed)
        with pickle.loads(pickle.dumps(work)).open() as call:
            for item in packed:
                call(pickle.loads(item))
            for item in packed[: len(packed) // 2]:
                call(pickle.loads(item))
        for item in packed:
            done(pickle.loads(item))


def test_parts_of_one_name_are_refused(tmp_path):
    part = write_parts(tmp_path, ["a"])[0]
    with pytest.raises(ValueError, match="different names"):
        find_duplicates(tmp_path / "signatures", [part, tmp_path / "elsewhere" / part.name], CONFIG)


def test_equal_rows_name_the_first():
    digests = np.array([[1, 2], [3, 4], [1, 5], [1, 2], [3, 4], [1, 2]], np.uint64)
    assert equal_rows(digests).tolist() == [0, 1, 2, 0, 1, 0]
    assert equal_rows(np.empty((0, 2), np.uint64)).tolist() == []


def test_a_signature_depends_on_its_own_text_alone():
    texts = [prose(1), "", "Größe und Maß, im größten Maße " * 5, "字" * 40, "\ud800 lone", prose(2)]
    together = signatures(texts)
    assert all((signatures([text])[0] == row) for text, row in zip(texts, together, strict=True))


def test_the_share_of_equal_positions_is_the_jaccard_similarity():
    left = " ".join(f"w{number}" for number in range(301))  # 300 runs of two words
    right = " ".join(f"w{number}" for number in range(100, 401))  # 200 of them, and 100 others: 200 of 400
    one, other = signatures([left, right])
    equal = np.mean(one["positions"][:PERMUTATIONS] == other["positions"][:PERMUTATIONS])
    assert equal == pytest.approx(0.5, abs=0.1)  # three standard deviations of 256 draws
    assert one["grams"] == other["grams"] == 300


def test_folding():
    assert fold("  Don’t\xa0—  “STOP” …\n") == 'don\'t - "stop" ...'


def test_few_pairs_are_compared_in_a_large_group(tmp_path, monkeypatch):
    """Nine comparisons a row and band at most, however many agree in it."""
    compared: list[int] = []
    usual = comparing.Comparing._alike

    def counting(self, better: np.ndarray, worse: np.ndarray) -> np.ndarray:
        compared.append(len(better))
        return usual(self, better, worse)

    monkeypatch.setattr(comparing.Comparing, "_alike", counting)
    monkeypatch.setattr(
        signatures_module, "_band_keys", lambda minima: np.zeros((len(minima), signatures_module.BANDS), np.uint32)
    )
    search(tmp_path, [prose(seed) for seed in range(300)])
    assert sum(compared) <= signatures_module.BANDS * comparing.WINDOW * 300
