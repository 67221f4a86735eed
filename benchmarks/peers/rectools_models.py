"""RecTools' transformers (SASRec, BERT4Rec, HSTU), tuned for a CPU: small batches, so that there are many steps.

The library keeps only each user's newest events; here every user is handed in as windows, so that it learns from all.
Scores come from the trained network itself, in batches, as `recommend()` would rank them.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from common import Fitted, History, Scorer, Split, parse, run
from pytorch_lightning import Callback, Trainer
from rectools.dataset import Dataset
from rectools.models import BERT4RecModel, HSTUModel, SASRecModel
from watch import Watch

KINDS = {"sasrec": SASRecModel, "bert4rec": BERT4RecModel, "hstu": HSTUModel}
SOFTMAX_ITEMS = 4000  # above, the softmax is over sampled items
EXTRA = {
    "sasrec": {"use_pos_emb": True},
    "bert4rec": {"mask_prob": 0.2},
    "hstu": {"relative_time_attention": True, "lightning_module_kwargs": {"logits_t": 0.05}},
}


class _Ender(Callback):  # type: ignore[misc]
    """Asks the watch after each step."""

    def __init__(self, watch: Watch, score: Scorer) -> None:
        self.watch, self.score = watch, score

    def __deepcopy__(self, _: dict[int, Any]) -> _Ender:
        """The library trains with a copy of its trainer; what the copy learns has to reach us."""
        return self

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: object) -> None:
        """End the training when the watch says so."""
        if self.watch.over(self.score, module.torch_model):
            trainer.should_stop = True


def train(model: str, split: Split) -> Fitted:
    """Fit the named model; the best state on the validation users is kept."""
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  the library masks and samples with it
    name, settings = parse(model)
    length, watch = int(settings["length"]), Watch(split)
    loss = {"loss": "softmax"} if split.num_items <= SOFTMAX_ITEMS else {"loss": "sampled_softmax", "n_negatives": 256}

    def score(histories: Sequence[History]) -> np.ndarray:
        return _score(fitted, name, length, split.num_items, histories)

    def trainer() -> Trainer:
        off = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
        return Trainer(
            max_epochs=10_000,
            min_steps=1,
            accelerator="cpu",
            devices=1,
            callbacks=[_Ender(watch, score)],
            **dict.fromkeys(off, False),
        )

    fitted = KINDS[name](
        n_factors=int(settings["factors"]),
        n_blocks=2,
        n_heads=2,
        session_max_len=length,
        lr=1e-3,
        batch_size=int(settings["batch"]),
        get_trainer_func=trainer,
        **loss,
        **EXTRA[name],
    )
    fitted.fit(_dataset(watch.train, length + int(name != "bert4rec")))
    return Fitted(score, watch.finish(fitted.lightning_model.torch_model))


def _dataset(histories: Sequence[History], length: int) -> Dataset:
    windows = [window for history in histories for window in history.windows(length)]
    sizes = [len(window) for window in windows]
    frame = pd.DataFrame(
        {
            "user_id": np.repeat(np.arange(len(windows)), sizes),
            "item_id": np.concatenate([window.items for window in windows]),
            "datetime": pd.to_datetime(np.concatenate([window.times for window in windows]), unit="s"),
            "weight": 1.0,
        }
    )
    return Dataset.construct(frame, keep_extra_cols=False)


def _score(fitted: Any, name: str, length: int, num_items: int, histories: Sequence[History]) -> np.ndarray:
    """(B, items): the session's vector against every item's, places of items mapped back to the split's codes."""
    network, preparator = fitted.lightning_model.torch_model, fitted.data_preparator
    known = preparator.get_known_item_ids().astype(int)
    place = np.zeros(num_items, np.int64)
    place[known] = preparator.get_known_items_sorted_internal_ids()
    network.eval()
    with torch.inference_mode():
        embeddings = network.item_model.get_all_embeddings()
        session = network.encode_sessions(_batch(preparator, name, length, place, histories), embeddings)[:, -1, :]
        logits = network.similarity_module(session, embeddings).numpy()  # a product, or HSTU's cosine
    scores = np.full((len(histories), num_items), -1e9, np.float32)
    scores[:, known] = logits[:, place[known]]
    return scores


def _batch(
    preparator: Any, name: str, length: int, place: np.ndarray, histories: Sequence[History]
) -> dict[str, torch.Tensor]:
    """Left-padded item ids; a mask token at the end for BERT4Rec, times with that of the request for HSTU."""
    x = np.zeros((len(histories), length), np.int64)
    times = np.zeros((len(histories), length + 1), np.int64)
    end = [preparator.extra_token_ids["MASK"]] if name == "bert4rec" else []
    for row, history in enumerate(histories):
        kept = history.part(place[history.items] > 0) if len(history) else history
        tokens = [*place[kept.items].tolist(), *end][-length:]
        if not len(kept):
            continue
        x[row, length - len(tokens) :] = tokens
        moments = [*kept.times.tolist()[-length:], int(kept.times[-1])]
        times[row] = [moments[0]] * (length + 1 - len(moments)) + moments
    return {"x": torch.from_numpy(x), "unix_ts": torch.from_numpy(times)}


if __name__ == "__main__":
    run(train)
