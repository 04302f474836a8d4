"""TRL's trainer with the head applied to the learnt tokens only, and micro-batches that shrink to fit the memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.distributed.fsdp import FSDPModule
from trl import SFTTrainer

from humpback.errors import ModelError
from humpback.models import is_out_of_memory
from humpback.models.head import head_logits
from humpback.training.collate import Collator


class TargetTokenTrainer(SFTTrainer):  # type: ignore[misc]
    """Supervised fine-tuning on planned micro-batches.

    The loss is the mean negative log-likelihood over the learnt tokens of the whole batch, however it is dealt out to
    micro-batches and processes. TRL's own loss is the same number, but computes the logits of a token twice and two
    metrics of them, each with a wait for the device.
    """

    control: Any

    def __init__(
        self, *, collator: Collator, held_out: Sequence[Sequence[int]], too_large: Callable[[], str], **arguments: Any
    ) -> None:
        """As `SFTTrainer`.

        Args:
            collator: makes the micro-batches.
            held_out: micro-batches of row numbers of `collator`, for evaluation.
            too_large: the message for a row that does not fit into memory by itself.
            arguments: those of `SFTTrainer`.
        """
        super().__init__(data_collator=collator, **arguments)
        self._collator = collator
        self._held_out = held_out
        self.too_large = too_large
        self._done: list[list[int]] = []  # row numbers of the step's micro-batches so far
        self._step_losses: list[tuple[list[int], torch.Tensor]] = []
        self.splits = 1  # parts that a planned micro-batch is worked through in
        self.loss_is_scaled_for_ga = True
        language_model = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
        # In place of `forward`, so that all that wraps it stays around it: autocast, and the gathering of weights.
        language_model.forward = _TargetLoss(language_model)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """The loss of one micro-batch: its summed loss over the number of learnt tokens in the whole batch."""
        tensors = {name: value for name, value in inputs.items() if name != "rows"}
        total = model(**tensors)
        # The processes' gradients are averaged, and each has summed over its own share.
        return total * self.accelerator.num_processes / num_items_in_batch

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Forward and backward of one micro-batch; when memory runs out, the step again in smaller parts."""
        rows = inputs["rows"]
        if self.splits == 1:
            loss = self._attempt(lambda: self._whole(model, inputs, num_items_in_batch))
        else:
            loss = self._attempt(lambda: self._in_parts(model, rows, num_items_in_batch))
        while loss is None:
            self._make_smaller([*self._done, rows])
            loss = self._attempt(lambda: self._again(model, rows, num_items_in_batch))
        self._done.append(rows)
        self._step_losses.append((rows, loss))
        return loss

    def rows_not_finite(self) -> list[int]:
        """Row numbers of this process's micro-batches in the last step whose loss was no number."""
        return [row for rows, loss in self._step_losses if not torch.isfinite(loss) for row in rows]

    def get_batch_samples(self, *arguments: Any, **options: Any) -> Any:
        """The micro-batches of the next step, with the number of tokens learnt in them by all processes."""
        self._done, self._step_losses = [], []
        return super().get_batch_samples(*arguments, **options)

    def _get_num_items_in_batch(self, batch_samples: list[dict[str, Any]], device: torch.device) -> torch.Tensor | int:
        count = sum(len(batch["targets"]) for batch in batch_samples)
        if self.accelerator.num_processes == 1:
            return count
        return self.accelerator.gather(torch.tensor(count, device=device)).sum()

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Nothing: an estimate that nobody reads, for which all weights would be gone through a micro-batch."""
        return 0

    def evaluate(self, *arguments: Any, metric_key_prefix: str = "eval", **options: Any) -> dict[str, float]:
        """Mean negative log-likelihood over all learnt tokens held out, in nats; every process computes all of it."""
        model = self.model_wrapped
        model.eval()
        total, tokens = 0.0, 0
        with torch.no_grad():
            for rows in self._held_out:
                inputs = self._prepare_inputs(self._collator.batch(rows))
                total += float(model(**{name: value for name, value in inputs.items() if name != "rows"}))
                tokens += len(inputs["targets"])
        for module in model.modules():
            if isinstance(module, FSDPModule):
                module.reshard()  # the last weights stay gathered for a backward pass, which does not follow
        model.train()
        metrics = {f"{metric_key_prefix}_loss": total / tokens}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _whole(self, model: torch.nn.Module, inputs: dict[str, Any], items: Any) -> torch.Tensor:
        return torch.as_tensor(super().training_step(model, dict(inputs), items))

    def _in_parts(self, model: torch.nn.Module, rows: list[int], items: Any) -> torch.Tensor:
        size = -(-len(rows) // self.splits)  # rounded up
        parts = [rows[first : first + size] for first in range(0, len(rows), size)]
        return torch.stack([self._whole(model, self._collator.batch(part), items) for part in parts]).sum()

    def _again(self, model: torch.nn.Module, rows: list[int], items: Any) -> torch.Tensor:
        """The gradients of the step up to these rows, from nothing; returns the loss of the last ones."""
        model.zero_grad()
        for earlier in self._done:
            self._in_parts(model, earlier, items)
        return self._in_parts(model, rows, items)

    def _attempt(self, work: Callable[[], torch.Tensor]) -> torch.Tensor | None:
        """What `work` gives, or None where memory ran out: the error holds on to tensors for as long as it lives."""
        try:
            return work()
        except (RuntimeError, MemoryError) as error:
            # Processes that wait for one another cannot repeat a step each by itself; the launcher starts them again.
            if not is_out_of_memory(error) or self.accelerator.num_processes > 1:
                raise
        return None

    def _make_smaller(self, micro_batches: Sequence[Sequence[int]]) -> None:
        largest = max(len(rows) for rows in micro_batches)
        if self.splits >= largest:
            raise ModelError(self.too_large())
        self.splits *= 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


class _TargetLoss:
    """Takes the place of a language model's `forward`: the summed loss of the learnt tokens in place of logits."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __call__(
        self,
        input_ids: torch.Tensor,
        learnt: torch.Tensor,
        targets: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        **others: Any,
    ) -> torch.Tensor:
        hidden = self._model.base_model(
            input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids, use_cache=False
        ).last_hidden_state  # (batch, seq, width)
        chosen = hidden.flatten(0, 1).index_select(0, learnt)  # (learnt, width)
        logits = head_logits(self._model, chosen)  # (learnt, vocabulary)
        return torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")
