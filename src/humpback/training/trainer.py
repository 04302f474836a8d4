"""TRL's trainer with the head applied to the learnt tokens only, where TRL's own kernel for that does not run."""

from __future__ import annotations

from typing import Any

import torch
from trl import SFTTrainer

from humpback.models.head import head_logits
from humpback.prompts.tokens import IGNORED


class TargetTokenTrainer(SFTTrainer):  # type: ignore[misc]
    """Supervised fine-tuning for CPUs and Apple's chips.

    There TRL sends every position through the head, prompt and padding included, and recomputes the logits in the
    backward pass; its Triton kernel, which avoids both, needs a GPU. The loss here is the same number: the mean
    negative log-likelihood over the learnt tokens of the whole batch.
    """

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        """The loss of one micro-batch: its summed loss over the number of learnt tokens in the whole batch."""
        language_model = self._language_model(model)
        hidden = language_model.base_model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False
        ).last_hidden_state  # (batch, seq, width)
        labels = inputs["labels"][:, 1:]  # token i + 1 is learnt at position i
        learnt = labels != IGNORED
        logits = head_logits(language_model, hidden[:, :-1][learnt])  # (learnt, vocabulary)
        total = torch.nn.functional.cross_entropy(logits.float(), labels[learnt], reduction="sum")
        return total / (learnt.sum() if num_items_in_batch is None else num_items_in_batch)

    def _language_model(self, model: torch.nn.Module) -> Any:
        unwrapped = self.accelerator.unwrap_model(model)
        return unwrapped.get_base_model() if hasattr(unwrapped, "get_base_model") else unwrapped
