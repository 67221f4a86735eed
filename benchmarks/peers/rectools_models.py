"""RecTools' transformers, SASRec and BERT4Rec, given seven minutes of training at most; best epoch not chosen (none is offered)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from common import Scorer, Split, run
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import Timer
from rectools.dataset import Dataset
from rectools.models import BERT4RecModel, SASRecModel

MAX_TIME = "00:00:07:00"
EPOCHS = 40


def train(model: str, split: Split) -> Scorer:
    """Fit the named model and score histories with its own network."""
    torch.manual_seed(0)
    rows = [(user, item, step) for user, items in enumerate(split.sequences) for step, item in enumerate(items)]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "datetime"])
    frame["datetime"] = pd.to_datetime(frame["datetime"], unit="s")
    frame["weight"] = 1.0
    length = 100 if model == "bert4rec" or len(frame) > 500_000 else 50
    settings = {
        "n_factors": 64,
        "n_blocks": 2,
        "n_heads": 2,
        "session_max_len": length,
        "lr": 1e-3,
        "batch_size": 64,
        "epochs": EPOCHS,
    }

    def trainer() -> Trainer:
        quiet = {
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
        }
        return Trainer(max_epochs=EPOCHS, accelerator="cpu", callbacks=[Timer(MAX_TIME)], **quiet)

    kind = SASRecModel if model == "sasrec" else BERT4RecModel
    fitted = kind(**settings, get_trainer_func=trainer)
    fitted.fit(Dataset.construct(frame))
    return lambda histories: _score(fitted, split, histories)


def _score(fitted: SASRecModel | BERT4RecModel, split: Split, histories: list[np.ndarray]) -> np.ndarray:
    """The library's own recommend(), unfiltered and long, turned back into scores."""
    rows = [(user, item, step) for user, items in enumerate(histories) for step, item in enumerate(items)]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "datetime"])
    frame["datetime"] = pd.to_datetime(frame["datetime"], unit="s")
    frame["weight"] = 1.0
    dataset = Dataset.construct(frame)
    longest = max((len(set(items)) for items in histories), default=0)
    users = frame["user_id"].unique()
    answer = fitted.recommend(users=users, dataset=dataset, k=min(split.num_items, longest + 30), filter_viewed=False)
    scores = np.full((len(histories), split.num_items), -1e9, np.float32)
    scores[answer["user_id"].to_numpy(int), answer["item_id"].to_numpy(int)] = answer["score"].to_numpy(np.float32)
    return scores


if __name__ == "__main__":
    run(train)
