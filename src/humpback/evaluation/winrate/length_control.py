"""Win rates with the length of answers held equal: the leaderboard's, and an estimate of our own beside it."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from humpback.errors import InputError
from humpback.evaluation.winrate.annotations import Annotation

CALIBRATION_REPO, CALIBRATION_FILE = "tatsu-lab/alpaca_eval", "df_gamed.csv"
CALIBRATION_COLUMNS = {
    "index",
    "instruction_difficulty",
    "model",
    "not_gamed_baseline",
    "preference",
    "std_delta_len",
}
BENCHMARK_PROMPTS = 805
HUB_SECONDS = 10

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LengthControlled:
    """AlpacaEval's length-controlled win rate in per cent (Dubois et al. 2024, arXiv 2404.04475) with its error.

    Both are None where it could not be had, and `reason` says why.
    """

    length_controlled_winrate: float | None
    lc_standard_error: float | None
    reason: str | None


def length_controlled(rows: Sequence[Annotation], calibration: Path | None = None) -> LengthControlled:
    """AlpacaEval's own fit, by its package.

    The fit knows prompts by their number, so the rows must be all prompts in the benchmark's order. The hub is asked
    only for as many rows as the benchmark has prompts; with a file that was given, fewer rows than it has prompts are
    taken for the first of them, with a warning.

    Args:
        rows: the annotations of one model.
        calibration: the file `df_gamed.csv`; None fetches it from the hub, where that can be reached.

    Raises:
        InputError: `calibration` was given and is missing or of another form.
    """
    if calibration is not None and not calibration.is_file():
        raise InputError(f"--length-control: {calibration}: no such file; give AlpacaEval's {CALIBRATION_FILE}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about its own imports
            from alpaca_eval.metrics import glm_winrate
    except ImportError as error:
        return _without(f'the package alpaca-eval cannot be imported ({error}): pip install "humpback[winrate]"')
    if calibration is not None:
        _check_calibration(calibration, len(rows))
    elif len(rows) != BENCHMARK_PROMPTS:
        return _without(
            f"the fit knows AlpacaEval's {BENCHMARK_PROMPTS} prompts by their number, and there are {len(rows)} "
            "annotations"
        )
    try:
        file = calibration or _fetched()
    except Exception as error:
        return _without(
            f"{CALIBRATION_FILE} of the dataset {CALIBRATION_REPO} cannot be had ({type(error).__name__}); give its "
            "path with --length-control"
        )
    return _fitted(glm_winrate, rows, file)


def _fitted(glm_winrate: ModuleType, rows: Sequence[Annotation], file: Path) -> LengthControlled:
    import pandas as pd
    import sklearn

    frame = pd.DataFrame(
        {
            "preference": [math.nan if row.preference is None else row.preference for row in rows],
            "output_1": [row.output_1 for row in rows],
            "output_2": [row.output_2 for row in rows],
            "generator_1": [row.generator_1 for row in rows],
            "generator_2": [row.generator_2 for row in rows],
            "annotator": [row.annotator for row in rows],
        }
    )
    try:
        with sklearn.config_context(), _read_from(glm_winrate, file), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of scikit-learn, about how the package calls it
            found = glm_winrate.get_length_controlled_winrate(
                frame, save_weights_dir=None, is_warn_extreme_changes=False, is_add_glm_preference_inplace=False
            )
    except KeyError as error:
        return _without(f"the calibration file knows no prompt number {error}; it is made for another set of prompts")
    except ValueError as error:
        return _without(f"alpaca-eval cannot fit it: {error}")
    return LengthControlled(float(found["length_controlled_winrate"]), float(found["lc_standard_error"]), None)


def length_adjusted_winrate(rows: Sequence[Annotation]) -> float | None:
    """Our own estimate in per cent: a logistic regression of the preference on the standardised difference in length.

    It is read at no difference. Unlike AlpacaEval's it knows nothing of how hard the prompts are and needs no other
    file. None where all preferences or all differences are the same.
    """
    from sklearn.linear_model import LogisticRegression

    judged = [row for row in rows if row.preference is not None]
    won = np.asarray([(row.preference or 0.0) - 1 for row in judged])
    longer = np.asarray([len(row.output_2) - len(row.output_1) for row in judged], dtype=float)
    if len(judged) < 3 or not longer.std() or won.min() == won.max():
        return None
    values = (longer / longer.std()).reshape(-1, 1)
    # A preference between 0 and 1 is so much of a win and the rest of a loss.
    both = np.vstack([values, values]), np.repeat([1, 0], len(judged)), np.concatenate([won, 1 - won])
    fitted = LogisticRegression(C=np.inf).fit(both[0], both[1], sample_weight=both[2])
    return float(100 * fitted.predict_proba(np.zeros((1, 1)))[0, 1])


def _without(reason: str) -> LengthControlled:
    return LengthControlled(None, None, reason)


def _fetched() -> Path:
    from huggingface_hub import get_session, hf_hub_download, hf_hub_url, try_to_load_from_cache

    there = try_to_load_from_cache(CALIBRATION_REPO, CALIBRATION_FILE, repo_type="dataset")
    if isinstance(there, str):
        return Path(there)
    url = hf_hub_url(CALIBRATION_REPO, CALIBRATION_FILE, repo_type="dataset")
    get_session().head(url, timeout=HUB_SECONDS)  # once, since the download below tries for half a minute
    return Path(hf_hub_download(CALIBRATION_REPO, CALIBRATION_FILE, repo_type="dataset"))


@contextmanager
def _read_from(module: ModuleType, file: Path) -> Iterator[None]:
    """Lets the package take `file` where it would ask the hub, for which it offers no parameter."""
    name = "hf_hub_download"
    usual = getattr(module, name)
    setattr(module, name, lambda **_: str(file))
    try:
        yield
    finally:
        setattr(module, name, usual)


def _check_calibration(file: Path, rows: int) -> None:
    import pandas as pd

    try:
        frame = pd.read_csv(file)
    except (ValueError, OSError) as error:
        raise InputError(f"--length-control: {file}: cannot be read as CSV ({error})") from None
    if missing := CALIBRATION_COLUMNS - set(frame.columns):
        raise InputError(
            f"--length-control: {file}: lacks the columns {', '.join(sorted(missing))}; give AlpacaEval's "
            f"{CALIBRATION_FILE}"
        )
    known = frame["index"].nunique()
    if known < rows:
        raise InputError(
            f"--length-control: {file}: knows {known} prompts and there are {rows} annotations; it is made for another "
            "set of prompts"
        )
    if known > rows:
        log.warning(
            "%s knows %d prompts and there are %d annotations: they are taken for the first of them, in that order",
            file,
            known,
            rows,
        )
