"""The threat model names tests that exist, and the release pins what is tested."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", (ROOT / "docs" / "security.md").read_text(encoding="utf-8"))))


def test_every_threat_has_tests():
    assert len(NAMED) > 50


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_what_the_threat_model_names_exists(file, name):
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


def test_every_test_of_security_is_named():
    found = {
        (f"security/{file.name}", name)
        for file in Path(__file__).parent.glob("test_*.py")
        if file.name != Path(__file__).name
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    # What shows that a test can fail, and that ordinary things pass.
    beside = {
        "test_a_trap_works",
        "test_ordinary_addresses_pass",
        "test_ordinary_commands_pass",
        "test_a_folder_that_is_a_link_itself_and_the_hubs_cache_are_read",
        "test_an_ordinary_text_stands_in_the_prompt_as_it_is",
        "test_a_control_token_of_one_character_is_taken_out",
        "test_a_folder_with_an_odd_name_is_shown_harmless",
        "test_scripts_of_the_review_write_text_alone",
    }
    assert sorted(name for file, name in found - set(NAMED)) == sorted(beside)


def test_the_rules_about_security_are_on():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in settings["select"]
    assert [rule for rule in settings["ignore"] if rule.startswith("S")] == ["S101"]
    assert not [place for place, rules in settings["per-file-ignores"].items() if "S" in rules and "src" in place]


def pins(name: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==([\w.+!]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in found}


def test_a_release_is_what_was_tested_with_a_hash_for_every_package():
    tested, released = pins("constraints.txt"), pins("requirements-release.txt")
    assert {package: tested.get(package) for package in released} == released
    blocks = re.split(r"^(?=\w)", (ROOT / "requirements-release.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.sub(r"[-_.]+", "-", re.split(r"[><=\[]", one)[0]).lower() for one in needed}
    assert names - set(released) == {"torch"}
