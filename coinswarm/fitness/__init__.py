"""Play x bars -> scores for a batch of variants: the fast path, and the only place where play, bars and metrics meet."""

from coinswarm.fitness import blocks, lottery
from coinswarm.fitness.score import Scorer, score

__all__ = ["Scorer", "blocks", "lottery", "score"]
