"""Does `humpback plan --at` foresee what a larger run takes?

    python benchmarks/plan.py CONFIG [--times 10] [-s KEY=VALUE ...]

Runs the configuration, which must limit its segments (`ingest.max_segments`), asks for the plan at so many times the
size, runs that too in a folder of its own, and prints both beside each other. A run that is there already is not
repeated, so that a stopped benchmark goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from humpback.config import Config, load_config
from humpback.hardware import hardware_line, versions
from humpback.pipeline import plan_at, run_pipeline
from humpback.workspace import RunFolder


def run(config: Config) -> dict[str, float]:
    """Seconds of each step."""
    run_pipeline(config)
    folder = RunFolder(config.folder)
    found = {}
    for name in (path.parent.relative_to(config.folder) for path in config.folder.glob("**/stage.json")):
        manifest = folder.step(str(name)).manifest()
        assert manifest is not None, name
        found[str(name)] = manifest.seconds
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("-s", "--set", dest="overrides", action="append", default=[])
    arguments = parser.parse_args()
    small = load_config(arguments.config, arguments.overrides)
    if small.ingest.max_segments is None:
        parser.error("the configuration must set ingest.max_segments, so that the larger run can have more")
    larger = f"ingest.max_segments={small.ingest.max_segments * arguments.times}"
    large = load_config(arguments.config, [*arguments.overrides, larger, f"name={small.name}-{arguments.times}x"])
    took = run(small)
    planned = plan_at(small, f"{arguments.times}x")
    needed = run(large)
    print(f"{hardware_line()}; {', '.join(f'{name} {version}' for name, version in versions().items())}\n")
    sizes = f"{small.ingest.max_segments} segments, s | planned for {planned.segments}, s"
    print(f"| step | {sizes} | took, s | planned / took |")
    print("|---|---|---|---|---|")
    for step in planned.steps:
        if step.seconds is not None and step.name in needed:
            ratio = step.seconds / needed[step.name]
            print(
                f"| {step.name} | {took[step.name]:.1f} | {step.seconds:.1f} | {needed[step.name]:.1f} | {ratio:.2f} |"
            )
    total = sum(needed[step.name] for step in planned.steps if step.seconds is not None and step.name in needed)
    print(f"| all of these | | {planned.seconds:.1f} | {total:.1f} | {planned.seconds / total:.2f} |")


if __name__ == "__main__":
    main()
