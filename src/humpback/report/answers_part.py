"""What M_0 and the last model answered: win rate, health, instructions that can be checked, sensitive prompts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from humpback.report.measured import NumberTable, Part
from humpback.report.text import number, short

TAGS = {"assistant": "S_a", "web": "S_w", "both": "both"}
_HEALTH = {
    "ends_properly": "end properly",
    "repeats": "repeat themselves",
    "leaks": "leak a prompt",
    "other_turn": "begin another turn",
    "empty": "empty",
}
_FOLLOWING = {
    "prompt_strict": "prompts, strict",
    "instruction_strict": "instructions, strict",
    "prompt_loose": "prompts, loose",
    "instruction_loose": "instructions, loose",
}
_SAFETY = {
    "refused_harmful": "declined where help harms",
    "refused_harmless": "declined where help is due",
    "toxic": "with an abusive word",
}


def answers_parts(found: Mapping[str, Any]) -> list[Part]:
    """The sections for the figures of a run's `answers.json`; those that were not asked for are left out."""
    parts: list[Part] = []
    if "win_rate" in found:
        parts.append(_win_rate(found["win_rate"], found["models"]))
    if "health" in found:
        parts.append(Part("", tables=[_by_model("Answers to the prompts", found["health"], _HEALTH)]))
    if "following" in found:
        parts.append(_following(found["following"]))
    if "safety" in found:
        parts.append(_safety(found["safety"]))
    return parts


def share_text(share: Mapping[str, Any]) -> str:
    """A share with its interval, in per cent; a dash where there is none."""
    if share["value"] is None:
        return "–"
    return f"{100 * share['value']:.1f} % [{100 * share['low']:.1f}, {100 * share['high']:.1f}]"


def _by_model(caption: str, models: Mapping[str, Mapping[str, Any]], rows: Mapping[str, str]) -> NumberTable:
    cells = [[title, *(share_text(figures[name]) for figures in models.values())] for name, title in rows.items()]
    return NumberTable(f"{caption}: shares with 95 % intervals", ["", *models], cells)


def _win_rate(found: Mapping[str, Any], models: list[str]) -> Part:
    judging, shown = found["judging"], _percent
    reference, last = models[0], models[-1]
    rows = [
        ["win rate", f"{shown(found['win_rate'])} ± {shown(found['standard_error'])}"],
        ["at equal length, an estimate", shown(found["length_adjusted_winrate"])],
        ["won, lost, drawn", f"{found['n_wins']}, {found['n_wins_base']}, {found['n_draws']}"],
        ["without a verdict", number(judging["unparsed"])],
        ["both orders agree", shown(judging["agreement"], 100)],
        ["the first answer is preferred", shown(judging["first_preferred"], 100)],
    ]
    return Part(
        "",
        text=[
            f"The judge {short(str(found['judge']), 60)} compared the answers of {last} with those of {reference}, "
            "each pair in both orders. 50 % means that neither is better."
        ],
        tables=[NumberTable(f"{last} against {reference}", ["", "value"], rows)],
        notes=["A judge that prefers the first answer whatever it says, or whose orders disagree, is no judge."],
    )


def _following(found: Mapping[str, Any]) -> Part:
    kinds = sorted({kind for figures in found.values() for kind in figures["groups"]})
    rows = [[kind, *(share_text(figures["groups"][kind]["strict"]) for figures in found.values())] for kind in kinds]
    return Part(
        "",
        tables=[
            _by_model("Instructions that a program can check", found, _FOLLOWING),
            NumberTable("By kind of instruction, strict", ["", *found], rows),
        ],
        notes=["IFEval's kinds of instructions (arXiv 2311.07911), with checks of our own."],
    )


def _safety(found: Mapping[str, Any]) -> Part:
    rows = [
        [f"{model}, {TAGS[tags]}", *(share_text(figures[name]) for name in _SAFETY)]
        for model, by_tag in found.items()
        for tags, figures in by_tag.items()
    ]
    return Part(
        "",
        tables=[NumberTable("Sensitive prompts, by model and tags in the prompt", ["", *_SAFETY.values()], rows)],
        notes=["Declining is counted by a rule over an answer's first sentences; read them before you trust it."],
    )


def _percent(value: float | None, times: float = 1) -> str:
    return "–" if value is None else f"{times * value:.1f} %"
