"""How to cite the method and the software, for every card."""

from __future__ import annotations

from humpback.version import __version__

PAPER = "Li et al. 2023, [Self-Alignment with Instruction Backtranslation](https://arxiv.org/abs/2308.06259)"

CITATION = f"""```bibtex
@inproceedings{{li2024selfalignment,
  title     = {{Self-Alignment with Instruction Backtranslation}},
  author    = {{Li, Xian and Yu, Ping and Zhou, Chunting and Schick, Timo and Levy, Omer and Zettlemoyer, Luke and
               Weston, Jason and Lewis, Mike}},
  booktitle = {{The Twelfth International Conference on Learning Representations}},
  year      = {{2024}},
  url       = {{https://arxiv.org/abs/2308.06259}}
}}
@software{{humpback,
  title   = {{Humpback: an open implementation of instruction backtranslation}},
  author  = {{{{The Humpback developers}}}},
  version = {{{__version__}}}
}}
```"""
