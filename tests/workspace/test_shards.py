"""Work that goes shard by shard ends with the same bytes wherever it was stopped."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from humpback.records import Dropped, DropReason, Example, Source
from humpback.workspace import Shard, StepFolder, dropped_rows, map_shards, part_files, read_rows, row_count
from humpback.workspace.shards import part_path, write_rows

SOURCE = Source("file", "1", 0, 4, None)
ROWS = [Example(f"id-{number}", f"q{number}", f"a{number}", SOURCE) for number in range(10)]


class Stopped(BaseException):
    """As a kill would."""


def work(rows: list[Example]) -> Shard:
    """Keeps rows with an even last digit."""
    kept = [row for row in rows if int(row.id[-1]) % 2 == 0]
    dropped = [Dropped(row.id, DropReason.TOO_SHORT, "odd", row.output, row.source) for row in rows if row not in kept]
    return Shard(kept, dropped)


def mapped(step: StepFolder, rows: list[Example], rows_per_shard: int, work=work, advance=lambda count: None) -> None:
    step.begin("key")
    map_shards(iter(rows), step, Example, work, rows_per_shard=rows_per_shard, advance=advance)


def content(step: StepFolder) -> dict[str, bytes]:
    return {str(file.relative_to(step.path)): file.read_bytes() for file in step.path.rglob("*.parquet")}


def test_rows_come_back_in_order_kept_and_dropped(tmp_path):
    step = StepFolder(tmp_path / "step", "step")
    advanced = []
    mapped(step, ROWS, 4, advance=advanced.append)
    assert [row.id for row in read_rows(step.path, Example)] == ["id-0", "id-2", "id-4", "id-6", "id-8"]
    assert [row.id for row in dropped_rows(step.path)] == ["id-1", "id-3", "id-5", "id-7", "id-9"]
    assert next(dropped_rows(step.path)) == Dropped("id-1", DropReason.TOO_SHORT, "odd", "a1", SOURCE)
    assert row_count(step.path) == 5
    assert advanced == [4, 4, 2]
    assert len(content(step)) == 6


def test_more_shards_than_their_names_have_digits_for_keep_their_order(tmp_path):
    parts = [part_path(tmp_path, index) for index in (9, 99_999, 100_000, 100_001, 1_000_000)]
    for part in reversed(parts):
        part.touch()
    assert part_files(tmp_path) == parts


def test_finished_shards_are_not_run_again(tmp_path):
    step = StepFolder(tmp_path / "step", "step")
    mapped(step, ROWS, 4)
    (step.path / "part-00001.parquet").unlink()
    seen = []
    mapped(step, ROWS, 4, work=lambda rows: (seen.append([row.id for row in rows]), work(rows))[1])
    assert seen == [["id-4", "id-5", "id-6", "id-7"]]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10), st.integers(1, 12), st.lists(st.integers(0, 6), max_size=4))
def test_stops_leave_no_trace(tmp_path_factory, rows, rows_per_shard, stops):
    folder = tmp_path_factory.mktemp("shards")
    whole, stopped = StepFolder(folder / "whole", "whole"), StepFolder(folder / "stopped", "stopped")
    mapped(whole, ROWS[:rows], rows_per_shard)
    for stop in stops:
        left = [stop]

        def until_stopped(shard: list[Example], left=left) -> Shard:
            if left[0] == 0:
                raise Stopped
            left[0] -= 1
            return work(shard)

        try:
            mapped(stopped, ROWS[:rows], rows_per_shard, work=until_stopped)
        except Stopped:
            continue
    mapped(stopped, ROWS[:rows], rows_per_shard)
    assert content(stopped) == content(whole)


def test_a_stop_between_dropped_and_kept_rows_leaves_no_trace(tmp_path, monkeypatch):
    whole, stopped = StepFolder(tmp_path / "whole", "whole"), StepFolder(tmp_path / "stopped", "stopped")
    mapped(whole, ROWS, 4)
    import humpback.workspace.shards as shards

    for stop in range(6):
        written = []

        def write(path, rows, kind, stop=stop, written=written):
            if len(written) == stop:
                raise Stopped
            written.append(path)
            write_rows(path, rows, kind)

        monkeypatch.setattr(shards, "write_rows", write)
        with pytest.raises(Stopped):
            mapped(stopped, ROWS, 4)
        monkeypatch.setattr(shards, "write_rows", write_rows)
        mapped(stopped, ROWS, 4)
        assert content(stopped) == content(whole)
        stopped.begin(f"other-{stop}")


def test_no_rows_make_one_empty_shard(tmp_path):
    step = StepFolder(tmp_path / "step", "step")
    mapped(step, [], 4)
    assert list(content(step)) == ["part-00000.parquet"]
    assert row_count(step.path) == 0
    assert list(read_rows(step.path, Example)) == []
    assert list(dropped_rows(step.path)) == []


def test_an_absent_folder_holds_no_rows(tmp_path):
    assert list(read_rows(tmp_path / "absent", Example)) == []
    assert row_count(tmp_path / "absent") == 0
