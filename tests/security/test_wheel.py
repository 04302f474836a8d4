"""The wheel holds all that the package reads, and works where nothing of the repository is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "humpback"
INPUTS = ("pyproject.toml", "README.md", "LICENSE")


def run(command: list[object], folder: Path, **settings: str) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=os.environ | settings, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that the repository stays as it is."""
    pytest.importorskip("setuptools", minversion="77")
    copy = tmp_path_factory.mktemp("source")
    for name in INPUTS:
        shutil.copy(ROOT / name, copy)
    shutil.copytree(SOURCE, copy / "src" / "humpback", ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run([*pip, "--wheel-dir", copy / "dist", "."], copy)
    (found,) = (copy / "dist").iterdir()
    return found


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel):
    there = {
        file.relative_to(SOURCE.parent).as_posix(): file.read_bytes()
        for file in SOURCE.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        assert set(names) == set(there)
        assert [name for name in names if archive.read(name) != there[name]] == []
    assert {Path(name).suffix for name in names} >= {".py", ".jinja", ".css", ".js", ".svg", ".jsonl", ".txt", ".typed"}


def walk_through(humpback: list[object], folder: Path, **settings: str) -> None:
    """What the quickstart does, without a model."""
    assert "init" in run([*humpback, "--help"], folder, **settings)
    run([*humpback, "init", "my.yaml", "--seed", "builtin", "--corpus", "packages"], folder, **settings)
    options = ["--engine", "scripted", "-s", "ingest.max_segments=20", "-s", "evaluate.max_pairs=10"]
    assert "no problem found" in run([*humpback, "check", "my.yaml", *options], folder, **settings)
    assert "report" in run([*humpback, "run", "my.yaml", *options], folder, **settings)
    made = folder / "runs" / "humpback"
    assert (made / "dataset" / "train.jsonl").stat().st_size
    assert "<style>" in (made / "report" / "index.html").read_text(encoding="utf-8")


def test_it_runs_without_the_repository(wheel, tmp_path):
    """With the packages of this environment, but Humpback itself from the wheel."""
    place = tmp_path / "packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    settings = {"PYTHONPATH": str(place), "PYTHONSAFEPATH": "1"}
    (work := tmp_path / "work").mkdir()
    where = run([sys.executable, "-c", "import humpback; print(humpback.__file__)"], work, **settings)
    assert where.startswith(str(place))
    walk_through([sys.executable, "-m", "humpback"], work, **settings)


@pytest.mark.release
@pytest.mark.skipif("HUMPBACK_RELEASE" not in os.environ, reason="`make test-release` fetches all packages anew")
def test_a_clean_environment_of_hashed_packages(wheel, tmp_path):
    import torch

    run([sys.executable, "-m", "venv", "clean"], tmp_path)
    python = tmp_path / "clean" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # The same torch as here: which file it is depends on the platform, and so its hash.
    index = os.environ.get("TORCH_INDEX")
    run([*pip, *(["--index-url", index] if index else []), f"torch=={torch.__version__}"], tmp_path)
    run([*pip, "--require-hashes", "--no-deps", "--requirement", ROOT / "requirements-release.txt"], tmp_path)
    run([*pip, "--no-deps", wheel], tmp_path)
    run([python, "-m", "pip", "check"], tmp_path)
    walk_through([tmp_path / "clean" / "bin" / "humpback"], tmp_path, PYTHONPATH="")
