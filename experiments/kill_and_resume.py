"""Does a run that is killed end with the same dataset as one that is not? With the real model and real kills.

    python experiments/kill_and_resume.py examples/quickstart.yaml --kills 10 -s train.steps=2 -s ingest.max_segments=12

Runs the configuration once to its end, then again in another folder, where it is killed with SIGKILL at a random moment
in one step after another, over all stages, and started again each time. Compares every dataset file byte for byte.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from humpback.config import load_config
from humpback.hardware import hardware_line, versions

FILES = ("train.jsonl", "train.parquet", "README.md")


def command(config: str, runs_dir: Path, overrides: list[str]) -> list[str]:
    """The command line of one run."""
    settings = [*overrides, f"runs_dir={runs_dir}"]
    return [sys.executable, "-m", "humpback", "run", config, *(part for item in settings for part in ("-s", item))]


def kill_during(arguments: list[str], step: Path, after: float) -> bool:
    """Starts the command and kills it `after` seconds into the step in folder `step`; False if it ended before."""
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (step / "started.json").exists():
            if process.poll() is not None:
                return False
            time.sleep(0.02)
        time.sleep(after)
        process.kill()
        return True


def main() -> None:
    """Runs, kills, compares, and exits with 1 where a byte differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--set", "-s", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--random-seed", type=int, default=0)
    options = parser.parse_args()
    name = load_config(options.config, options.set).name
    generator = random.Random(options.random_seed)
    print(f"{hardware_line()}; {versions()}")
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder, "whole"), Path(folder, "killed")
        started = time.monotonic()
        subprocess.run(command(options.config, whole, options.set), check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - started
        print(f"uninterrupted: {seconds:.0f} s")
        steps = sorted((whole / name).rglob("stage.json"), key=lambda file: file.stat().st_mtime)
        for number in range(options.kills):
            # Every step in turn, from the first to the last; how far into it, by lot.
            manifest = steps[number * len(steps) // options.kills]
            step = manifest.parent.relative_to(whole)
            after = generator.uniform(0, 0.9) * json.loads(manifest.read_text(encoding="utf-8"))["seconds"]
            if kill_during(command(options.config, killed, options.set), killed / step, after):
                print(f"kill {number + 1}: {after:.1f} s after the start of {step}", flush=True)
            else:
                print(f"no kill: the run ended before {step} was made again", flush=True)
        subprocess.run(command(options.config, killed, options.set), check=True, stdout=subprocess.DEVNULL)
        different = [
            file
            for file in FILES
            if (whole / name / "dataset" / file).read_bytes() != (killed / name / "dataset" / file).read_bytes()
        ]
    print(f"differ: {', '.join(different)}" if different else f"equal, byte for byte: {', '.join(FILES)}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
