"""All rules in their order; the first that speaks against an instruction gives the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from humpback.config import LintConfig
from humpback.lint import beside, form, meta
from humpback.lint.guess import Guess, Verdict
from humpback.lint.request import no_request
from humpback.records import DropReason


class Linter:
    """Reads instructions as a run's configuration wants it."""

    def __init__(self, config: LintConfig, templates: Iterable[str], control_tokens: Iterable[str]) -> None:
        """`templates` are those that the backward model and the judge are asked with, `control_tokens` the model's."""
        self._rules = _rules(config, meta.PromptPieces.of(templates, control_tokens))

    def judge(self, instruction: str, output: str, headers: Sequence[str] = ()) -> Verdict:
        """The first reason against the instruction of `output`, with details, or None."""
        return next(self.findings(instruction, output, headers), None)

    def findings(self, instruction: str, output: str, headers: Sequence[str] = ()) -> Iterator[tuple[DropReason, str]]:
        """Every rule's reason against it, in the order of the rules."""
        guess = Guess(instruction.strip(), output, headers)
        for rule in self._rules:
            found = rule(guess)
            if found is not None:
                yield found
                if found[0] == DropReason.EMPTY_INSTRUCTION:
                    return  # there is nothing for the others to read


def _rules(config: LintConfig, pieces: meta.PromptPieces) -> list[Callable[[Guess], Verdict]]:
    """An instruction without a letter is none, whatever the configuration says."""
    if not config.enabled:
        return [form.empty]
    rules: list[tuple[bool, Callable[[Guess], Verdict]]] = [
        (True, form.empty),
        (config.leaked_prompt, lambda guess: meta.leaked_prompt(guess, pieces)),
        (config.refusal, meta.refusal),
        (config.other_turn, meta.other_turn),
        (True, lambda guess: beside.copied_output(guess, config)),
        (True, lambda guess: form.repeats_itself(guess, config)),
        (True, lambda guess: form.too_few_words(guess, config)),
        (config.title, form.title),
        (config.no_request, no_request),
        (config.language, beside.other_language),
        (config.missing_text, beside.missing_text),
        (True, lambda guess: form.several_requests(guess, config)),
        (config.unfinished, form.unfinished),
        (True, lambda guess: form.too_long(guess, config)),
    ]
    return [rule for is_on, rule in rules if is_on]
