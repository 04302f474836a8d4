"""Imports point one way, and heavy modules wait until they are needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import humpback

PACKAGE = Path(humpback.__file__).parent
LAYERS = [
    {"errors", "records", "version", "randomness", "progress", "hardware", "tables", "inputs"},
    {"config"},
    {"workspace"},
    {"prompts", "cluster"},
    {"models", "corpus", "seed"},
    {"lint"},
    {"engines", "training"},
    {"judge"},
    {"augmentation", "curation", "evaluation"},
    {"report"},
    {"product"},
    {"stages"},
    {"pipeline", "preferences", "review"},
    {"cli"},
]
HEIGHT = {name: height for height, names in enumerate(LAYERS) for name in names}
HEAVY = {
    "torch",
    "transformers",
    "trl",
    "peft",
    "datasets",
    "pyarrow",
    "vllm",
    "ray",
    "plotly",
    "sklearn",
    "scipy",
    "spacy",
}
# The face of the package and the command's entry stand above all layers.
ABOVE = {"__init__", "__main__"}


def modules() -> Iterator[tuple[str, Path]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(parts), file


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name, below `humpback`, of every import of the package: at the top, in functions, for types."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            top, _, rest = name.partition(".")
            if top == "humpback":
                yield node.lineno, rest


def part(name: str) -> str:
    return name.partition(".")[0]


def test_every_part_has_a_layer():
    assert {part(name) for name, _ in modules()} - ABOVE - {"data"} == set(HEIGHT)


@pytest.mark.parametrize("name", sorted(set(HEIGHT)))
def test_imports_point_down(name):
    wrong = []
    for module, file in modules():
        if part(module) != name:
            continue
        for line, target in imported(file):
            other = part(target)
            beside = HEIGHT[name] == 0 and HEIGHT.get(other) == 0
            if other != name and not beside and HEIGHT.get(other, -1) >= HEIGHT[name]:
                wrong.append(f"{module}:{line} imports {target}")
    assert wrong == []


def test_stages_meet_in_files_only():
    wrong = []
    for module, file in modules():
        if part(module) == "stages" and module != "stages.__init__":
            for line, target in imported(file):
                if part(target) == "stages" and not target.startswith(("stages.context", f"{module}.")):
                    wrong.append(f"{module}:{line} imports {target}")
    assert wrong == []


def test_the_ground_layer_has_no_circle():
    needs = {
        module: {part(target) for _, target in imported(file)} & LAYERS[0]
        for module, file in modules()
        if module in LAYERS[0]
    }
    while free := {module for module, others in needs.items() if not others & needs.keys()}:
        needs = {module: others for module, others in needs.items() if module not in free}
    assert needs == {}


def loaded_by(code: str) -> set[str]:
    found = f"{code}\nimport sys\nprints = print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("code", ["import humpback", "import humpback.cli.app", "from humpback import load_config"])
def test_heavy_modules_are_not_imported(code):
    assert loaded_by(code) & HEAVY == set()


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nsys.argv = ['humpback', '--help']\nfrom humpback.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code"
    )
    assert loaded_by(code) & (HEAVY | {"numpy", "pydantic", "yaml"}) == set()


def test_a_plan_of_a_scripted_run_needs_no_torch():
    assert loaded_by("import humpback.pipeline") & {"torch", "trl", "peft", "datasets", "vllm", "ray"} == set()
