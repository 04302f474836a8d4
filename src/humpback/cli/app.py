"""The commands. Each imports what it runs inside itself, so that `humpback --help` is instant."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from humpback.cli.evaluate import RUN, evaluate_app
from humpback.cli.preferences import dpo, preferences
from humpback.cli.printable import printable
from humpback.cli.product import export, push
from humpback.errors import HumpbackError, InputError
from humpback.version import __version__

app = typer.Typer(
    name="humpback",
    help="Instruction backtranslation: documents and seed pairs in, a curated dataset and a tuned model out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
prompts_app = typer.Typer(help="Look at the prompts that models are trained on and asked.", no_args_is_help=True)
app.add_typer(prompts_app, name="prompts")
app.add_typer(evaluate_app, name="evaluate")

DEFAULT_CONFIG = Path("humpback.yaml")
INTERRUPTED = 130  # the shell's code for SIGINT

ConfigFile = Annotated[Path, typer.Argument(help="The configuration, as `humpback init` writes it.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", "-s", metavar="KEY=VALUE", help="Change one field, e.g. train.steps=100.")
]
EngineKind = Annotated[str | None, typer.Option("--engine", help="`scripted` walks the run without any model.")]
RunArgument = Annotated[Path, typer.Argument(help="A run's folder, e.g. runs/humpback.", metavar="RUN")]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _start(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = DEFAULT_CONFIG,
    model: Annotated[str, typer.Option(help="Base model: `builtin`, a folder, or a hub name.")] = "builtin",
    seed: Annotated[str, typer.Option(help="Your instruction/output pairs.")] = "seed.jsonl",
    corpus: Annotated[str, typer.Option(help="Your documents.")] = "documents/",
    force: Annotated[bool, typer.Option(help="Overwrite a file that is there.")] = False,
) -> None:
    """Write a commented configuration with every field and its default."""
    from humpback.config import config_template
    from humpback.workspace import write_text

    if path.exists() and not force:
        raise InputError(f"{path}: is there already; give another name, or --force to overwrite it")
    write_text(path, config_template(str(path), model=model, seed=seed, corpus=corpus))
    typer.echo(f"{path} written. Set `seed` and `corpus` in it, then: humpback check {path}")


@app.command()
def run(
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = None,
    engine: EngineKind = None,
    ray: Annotated[
        bool, typer.Option("--ray", help="On the Ray cluster of this machine: `-s cluster.address=auto`.")
    ] = False,
) -> None:
    """Run everything that is not done yet: documents to dataset, models and report."""
    if ray:
        overrides = ["cluster.address=auto", *(overrides or [])]
    _run(config, overrides, engine, stage=None)


def _add_stage(stage: str, text: str, group: typer.Typer = app, name: str | None = None) -> None:
    def command(config: ConfigFile = DEFAULT_CONFIG, overrides: Overrides = None, engine: EngineKind = None) -> None:
        _run(config, overrides, engine, stage=stage)

    group.command(name or stage, help=f"{text}, with all that this needs.")(command)


for _stage, _text in {
    "ingest": "Read seed and documents into pairs and segments",
    "train": "Train the backward and forward models",
    "augment": "Write an instruction for every segment",
    "report": "Write the report",
}.items():
    _add_stage(_stage, _text)
_add_stage("evaluate", "Measure every model on held-out pairs", evaluate_app, RUN)


@app.command(help="Rate the candidates and keep the best, in every round, with all that this needs.")
def curate(
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = None,
    engine: EngineKind = None,
    labels: Annotated[
        Path | None, typer.Option(help="A table of your own labels: `id` of a candidate, `good` (true or false).")
    ] = None,
) -> None:
    if labels is not None:
        overrides = [*(overrides or []), f"curate.labels={labels}"]
    _run(config, overrides, engine, stage="curate")


@app.command()
def check(config: ConfigFile = DEFAULT_CONFIG, overrides: Overrides = None, engine: EngineKind = None) -> None:
    """Look at configuration, inputs, model and disk, and name every problem. Runs nothing."""
    _stop_on_problems(_load(config, overrides, engine))
    typer.echo(f"{config}: no problem found. Next: humpback plan {config}, or humpback run {config}")


@app.command()
def plan(
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = None,
    engine: EngineKind = None,
    probe: Annotated[bool, typer.Option(help="Load the model and time a few rows.")] = True,
    at: Annotated[
        str | None, typer.Option(help="At another size: 10x, 500k or 1B segments, or `internet` (1B).")
    ] = None,
    size: Annotated[str | None, typer.Option(help="With --at: a model of 7B, 13B, 33B, 65B or 70B.")] = None,
    gpus: Annotated[int | None, typer.Option(help="With --size: so many GPUs.", min=1)] = None,
    gpu: Annotated[str, typer.Option(help="With --size: a100, h100, h200 or l40s.")] = "h100",
    cores: Annotated[int | None, typer.Option(help="With --size: processor cores (default: 16 a GPU).", min=1)] = None,
    gpu_hour: Annotated[
        float | None, typer.Option(help="Price of a GPU's hour: for --size, or for the run's progress page.", min=0)
    ] = None,
) -> None:
    """Show what would run, what is there already, and what it would take, here or at another size."""
    from humpback.cli.console import print_plan
    from humpback.cli.outlook import cluster_of, print_outlook
    from humpback.pipeline import make_plan, plan_at

    settings = _load(config, overrides, engine)
    cluster = cluster_of(at, size, gpus, gpu, cores, gpu_hour)
    _stop_on_problems(settings)
    if at is None:
        print_plan(make_plan(settings, probe=probe, gpu_hour=gpu_hour), settings)
    else:
        print_outlook(plan_at(settings, at, cluster), cluster)


@app.command()
def status(folder: RunArgument) -> None:
    """Show which steps of a run are done."""
    from humpback.cli.console import print_status

    print_status(folder)


@app.command()
def explain(
    folder: RunArgument,
    row_id: Annotated[str, typer.Argument(help="Id of a seed pair, segment or candidate, or its beginning.")],
) -> None:
    """Tell everything about one pair: source, prompts as sent, ratings, and why it was kept or dropped."""
    from humpback.cli.console import print_explanation
    from humpback.pipeline.explain import explain as explain_row

    print_explanation(explain_row(folder, row_id))


@app.command()
def extract(
    inputs: Annotated[list[str], typer.Argument(help="Documents: files, folders, archives, globs, addresses.")],
    out: Annotated[Path | None, typer.Option(help="Write JSON Lines with `path`, `title` and `text` there.")] = None,
) -> None:
    """Show what Humpback sees in documents: title and main content, before anything is cut or dropped."""
    from humpback.cli.extract import extract as extract_texts
    from humpback.config import IngestConfig

    extract_texts(inputs, out, IngestConfig())


@app.command()
def rate(
    pairs: Annotated[Path, typer.Argument(help="Rows with `instruction` and `output`, JSON Lines or another table.")],
    out: Annotated[Path, typer.Option(help="Write the rows with their ratings there, as JSON Lines.")],
    seed: Annotated[
        str, typer.Option(help="Good pairs that the model was not trained on; the judge is fitted to them.")
    ],
    model: Annotated[str, typer.Option(help="The judge: `builtin`, a folder, or a hub name.")] = "builtin",
    overrides: Overrides = None,
    engine: EngineKind = None,
) -> None:
    """Rate any file of instructions and answers; one row out for every row in."""
    from humpback.cli.console import RichProgress, set_up_logging
    from humpback.config import parse_config
    from humpback.pipeline import rate_pairs

    given = {"model": model, "seed": seed, "corpus": str(pairs), "rate": {"judge": "calibrated"}}
    extra = [f"engine.kind={engine}"] if engine else []
    config = parse_config(json.dumps(given), [*(overrides or []), *extra], name="humpback rate")
    set_up_logging()
    found = rate_pairs(pairs, out, config, RichProgress())
    reasons = "".join(f", {count:,} {reason}" for reason, count in sorted(found.reasons.items()))
    typer.echo(f"{out}: {found.rows:,} rows, {found.rated:,} rated{reasons}")


@app.command()
def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of finished runs; the others are compared with the first.")
    ],
    out: Annotated[Path, typer.Option(help="Write the page there.")] = Path("compare.html"),
) -> None:
    """Show several runs side by side on one page."""
    from humpback.cli.compare import compare as compare_runs

    compare_runs(runs, out)


@app.command()
def takedown(
    folder: RunArgument,
    domain: Annotated[str, typer.Option(help="The site, e.g. example.org; hosts below it are meant too.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
) -> None:
    """Remove a site's texts from a run and its dataset, and say which models were trained on them."""
    from humpback.cli.console import print_takedown
    from humpback.pipeline.takedown import takedown as take_down

    print_takedown(take_down(folder, domain, dry_run=dry_run), dry_run=dry_run)


@app.command()
def chat(
    folder: RunArgument,
    question: Annotated[str | None, typer.Option("--question", "-q", help="Ask this once and stop.")] = None,
    compare: Annotated[bool, typer.Option(help="Let M_0 answer too, before and after curation.")] = False,
    max_new_tokens: Annotated[int, typer.Option(help="Longest answer.", min=1)] = 256,
    random_seed: Annotated[int, typer.Option(help="For the sampling.", min=0)] = 0,
) -> None:
    """Talk to the tuned model of a run."""
    from humpback.cli.chat import chat_with

    chat_with(folder, question, compare=compare, max_new_tokens=max_new_tokens, random_seed=random_seed)


@app.command()
def review(
    folder: RunArgument,
    arena: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            help="Compare two models blindly: their outputs as AlpacaEval writes them.", metavar="A.json B.json"
        ),
    ] = None,
    screening: Annotated[
        Path | None, typer.Option(help="Questions with a known answer for --arena: `instruction`, `better`, `worse`.")
    ] = None,
    pass_mark: Annotated[
        float, typer.Option(help="Least share of screening questions to get right.", min=0.0, max=1.0)
    ] = 0.8,
    judgements: Annotated[
        Path | None, typer.Option(help="AlpacaEval's annotations of the same answers, to see whether people agree.")
    ] = None,
    annotator: Annotated[
        list[str] | None, typer.Option(help="Who reviews; again for each. By default, you.", metavar="NAME")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; by default nothing but this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes any free one.", min=0, max=65535)] = 8642,
    results: Annotated[bool, typer.Option("--results", help="Print what annotators said, as JSON.")] = False,
    export_labels: Annotated[
        Path | None, typer.Option(help="Write the labels for `humpback curate --labels` there.", metavar="FILE")
    ] = None,
    export_edits: Annotated[
        Path | None, typer.Option(help="Write the pairs accepted with an edited instruction there.", metavar="FILE")
    ] = None,
) -> None:
    """Label candidates, or compare two models blindly, on a web page of this machine."""
    from humpback.cli.review import Wanted, review_run

    review_run(
        Wanted(
            folder,
            arena,
            screening,
            pass_mark,
            judgements,
            annotator or (),
            host,
            port,
            results,
            export_labels,
            export_edits,
        )
    )


app.command()(preferences)
app.command()(dpo)
app.command()(export)
app.command()(push)


@prompts_app.command("show")
def prompts_show(
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = None,
    engine: EngineKind = None,
) -> None:
    """Print every prompt of the method for one seed pair; trained tokens are marked."""
    from humpback.cli.prompts import show_prompts

    show_prompts(_load(config, overrides, engine))


def main() -> None:
    """The command; an error meant for the user is printed as one message, without a traceback."""
    _quieten_libraries()
    try:
        app()
    except HumpbackError as error:
        _print_error(error)
        sys.exit(1)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # what typer makes of Ctrl-C
            typer.echo("\nStopped. What is finished is kept; the same command goes on from there.", err=True)
        raise
    except BrokenPipeError:  # e.g. `humpback status RUN | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception:  # a fault of ours, whose message may hold anybody's text
        import traceback

        typer.echo(printable(traceback.format_exc()), err=True)
        sys.exit(1)


def _run(config: Path, overrides: list[str] | None, engine: str | None, *, stage: str | None) -> None:
    from humpback.cli.console import RichProgress, print_summary, set_up_logging
    from humpback.pipeline import run_pipeline

    settings = _load(config, overrides, engine)
    set_up_logging()
    result = run_pipeline(settings, target=stage, progress=RichProgress())
    print_summary(result, settings, stage)


def _stop_on_problems(config: Any) -> None:
    from humpback.pipeline import preflight

    problems = preflight(config)
    for problem in problems:
        _print_error(problem)
    if problems:
        raise typer.Exit(1)


def _load(config: Path, overrides: list[str] | None, engine: str | None) -> Any:
    from humpback.config import load_config

    extra = [f"engine.kind={engine}"] if engine else []
    return load_config(config, [*(overrides or []), *extra])


def _print_error(error: HumpbackError) -> None:
    for line in str(error).splitlines():
        if not line.startswith(" "):  # else it goes on with the message above
            typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
        typer.echo(printable(line), err=True)


def _quieten_libraries() -> None:
    """Libraries talk about themselves while they load; what matters to a user is said by Humpback."""
    import warnings

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=UserWarning, module=r"(torch|transformers|trl|accelerate|peft)\b")
    for name in ("httpx", "urllib3", "datasets", "accelerate", "trl"):
        logging.getLogger(name).setLevel(logging.ERROR)
