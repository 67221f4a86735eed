"""Early stopping that all networks share: a budget of CPU seconds, the best state on held-out last events kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from common import BATCH, TRAIN_CPU_S, Scorer, Split

CHECK_S = 12.0  # CPU seconds between two looks at the validation users
PATIENCE = 6  # looks without a gain
VALIDATION_USERS = 500


class Watch:
    """Withholds the last event of some training users; called after each step it tells when to end.

    `train` is what is left to train on. The CPU seconds of looking count as training.
    """

    def __init__(self, split: Split) -> None:
        """Draw half the users that have three events, 500 at most."""
        rng = np.random.default_rng(0)
        able = [i for i, history in enumerate(split.train) if len(history) >= 3]
        drawn = set(rng.permutation(able)[: min(VALIDATION_USERS, len(able) // 2)].tolist())
        self.train = [h.part(slice(None, -1)) if i in drawn else h for i, h in enumerate(split.train)]
        self.queries = [self.train[i] for i in sorted(drawn)]
        self.targets = np.array([split.train[i].items[-1] for i in sorted(drawn)])
        self.best, self.stale, self.steps, self.best_step = -1.0, 0, 0, 0
        self.state: dict[str, torch.Tensor] = {}
        self.began = time.process_time()
        self.next_look = CHECK_S
        self.curve: list[tuple[int, float]] = []
        self.reason = "epochs"

    def over(self, score: Scorer, module: torch.nn.Module) -> bool:
        """Say whether training has come to its end; to be asked after each step."""
        self.steps += 1
        spent = time.process_time() - self.began
        out_of_time = spent >= TRAIN_CPU_S
        if not out_of_time and spent < self.next_look:
            return False
        figure = self._ndcg(score)
        module.train()
        self.curve.append((self.steps, round(figure, 4)))
        self.next_look = max(self.next_look, time.process_time() - self.began) + CHECK_S
        if figure > self.best:
            self.best, self.stale, self.best_step = figure, 0, self.steps
            self.state = {name: value.detach().clone() for name, value in module.state_dict().items()}
        else:
            self.stale += 1
        if out_of_time or self.stale >= PATIENCE:
            self.reason = "budget" if out_of_time else "no gain"
            return True
        return False

    def finish(self, module: torch.nn.Module) -> dict[str, Any]:
        """Put the best state back; what there is to tell."""
        if self.state:
            module.load_state_dict(self.state)
        module.eval()
        return {"steps": self.steps, "best_step": self.best_step, "ended_by": self.reason, "curve": self.curve}

    def _ndcg(self, score: Scorer) -> float:
        gains: list[float] = []
        for start in range(0, len(self.queries), BATCH):
            queries, wanted = self.queries[start : start + BATCH], self.targets[start : start + BATCH]
            scores = score(queries)
            mine = scores[np.arange(len(queries)), wanted][:, None]
            rank = (scores > mine).sum(axis=1)
            gains += np.where(rank < 10, 1 / np.log2(rank + 2), 0.0).tolist()
        return float(np.mean(gains)) if gains else 0.0


def forever(batches: Callable[[], Sequence[Any]]) -> Any:
    """Epoch after epoch of freshly drawn batches."""
    while True:
        yield from batches()
