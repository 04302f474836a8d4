"""Kills, power cuts, bad disks and bad servers: no end differs from that of a run to which nothing happened.

All of it, many times over: `python benchmarks/faults.py`.
"""

from __future__ import annotations

import random

import faults_disks as disks
import faults_endpoint as endpoint
import faults_kills as faults
import pytest
from faults_driver import GROUP, KILL

ROWS = 200


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def reference(write_inputs_to, scratch):
    return faults.Reference.of(write_inputs_to(scratch / "inputs").config, scratch)


@pytest.mark.parametrize(("fault", "count"), [(KILL, 2), (GROUP, 1)])
def test_a_run_that_is_killed_ends_with_the_same_bytes(reference, scratch, fault, count):
    found = faults.kills(reference, scratch, count, random.Random(fault), fault)
    assert found.problems == []
    assert found.same.total() == found.done.total() == count


def test_a_worker_that_is_killed_costs_nothing(reference, scratch):
    for number in range(5):  # so small a run's workers may be gone before one is hit
        found = faults.worker_kills(reference, scratch, 1, random.Random(number))
        assert found.problems == []
        if found.done:
            break
    assert found.same.total() == found.done.total() == 1


def test_files_torn_by_a_power_cut_are_made_again(reference, scratch):
    found = faults.power_cuts(reference, scratch, 2, random.Random(2))
    assert found.problems == []
    assert found.same.total() == found.done.total() == 2
    assert found.notes["files torn"] > 0


def test_a_bad_disk_is_told_of_and_nothing_is_lost(reference, scratch):
    if not disks.can_mount():
        pytest.skip("this process may not mount a small disk")
    for what, came, said in disks.disk_rows(reference, scratch, disks.SMALL[1:2]):
        assert came == "same bytes", what
        assert "the disk is full; free some space" in said or "cannot be written; choose another" in said


def test_clocks_and_copies(reference, scratch):
    assert [came for _, came, _ in disks.clock_rows(reference, scratch, [-400])] == ["same bytes"]
    changed = {what: disks.COPIES[what] for what in ("made before there were checksums", "a byte changed in a copy")}
    found = list(disks.copy_rows(reference, scratch, changed))
    assert [came for _, came, _ in found] == ["same bytes", "same bytes"]
    assert [said for _, _, said in found] == ["0 steps made again", "1 steps made again"]


@pytest.mark.parametrize("what", list(endpoint.scenarios(0, ROWS)))
def test_a_bad_server_costs_no_row_and_one_line(tiny_model, what):
    found = endpoint.ask(what, tiny_model, ROWS, endpoint.scenarios(0, ROWS)[what])
    assert found.is_right, found
    assert found.lines <= 2, "not one for each request"


def test_a_certificate_that_nobody_signed_is_refused(tiny_model, tmp_path):
    found = endpoint.certificate(tiny_model, tmp_path)
    if "skipped" in found.said:
        pytest.skip(found.said)
    assert "certificate" in found.said.lower()
