"""What is measured: our recipes through the command line, and the peers through small adapters in environments of their own.

Each is a definition that a result is keyed by; running them is in running.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class System:
    """A recommender to measure: `recipe` with settings if ours, else the adapter below peers/ and its model."""

    name: str
    recipe: str = ""
    arguments: tuple[str, ...] = ()
    adapter: str = ""
    model: str = ""
    with_metadata: bool = True

    @property
    def is_ours(self) -> bool:
        """Whether it is one of our recipes."""
        return bool(self.recipe)


def _implicit(name: str, model: str) -> System:
    return System(f"implicit {name}", adapter="implicit_models.py", model=model)


def _ease(name: str, model: str) -> System:
    return System(f"EASE {name}", adapter="ease.py", model=f"ease,{model}")


def _rectools(name: str, kind: str) -> System:
    return System(f"RecTools {name}", adapter="rectools_models.py", model=f"{kind},factors=64,length=50,batch=16")


def _recbole(name: str, kind: str) -> System:
    return System(f"RecBole {name}", adapter="recbole_models.py", model=f"{kind},length=20,batch=64")


SIXTY_S = ("--max-seconds", "60")
OURS = (
    System("popularity (ours)", "aws-popularity-count"),
    System("trending-now (ours)", "aws-trending-now"),
    System("sims (ours)", "aws-sims"),
    System("similar-items (ours)", "aws-similar-items"),
    System("hrnn (ours), 60 s", "aws-hrnn", SIXTY_S),
    System("user-personalization (ours), 60 s", "aws-user-personalization", SIXTY_S),
    System("user-personalization (ours)", "aws-user-personalization"),
)
QUICK_PEERS = (
    _implicit("ItemKNN cosine K=100", "cosine,k=100"),
    _implicit("ItemKNN cosine K=100, last 20", "cosine,k=100,last=20"),
    _implicit("ItemKNN cosine K=20, last 10", "cosine,k=20,last=10"),
    _implicit("ItemKNN BM25 K=100", "bm25,k=100"),
    _implicit("ItemKNN BM25 K=100, last 10", "bm25,k=100,last=10"),
    _implicit("ALS f=64", "als,factors=64,regularization=0.01,alpha=1"),
    _implicit("ALS f=64, last 20", "als,factors=64,regularization=0.01,alpha=1,last=20"),
    _implicit("ALS f=128 alpha=10", "als,factors=128,regularization=0.01,alpha=10"),
    _implicit("BPR f=64", "bpr,factors=64"),
    _ease("λ=500", "lambda=500"),
    _ease("λ=500, last 20", "lambda=500,last=20"),
    _ease("λ=1000, last 20", "lambda=1000,last=20"),
    _ease("λ=100, last 10", "lambda=100,last=10"),
    _ease("λ=30, last 5", "lambda=30,last=5"),  # where baskets matter, less of both did better each time
)
NETWORKS = (
    System("GRU4Rec (own torch code after the paper)", adapter="gru4rec.py", model="gru4rec,factors=128"),
    _rectools("SASRec", "sasrec"),
    _recbole("GRU4Rec", "gru4rec"),
    _rectools("HSTU", "hstu"),
    _recbole("SASRec", "sasrec"),
    _rectools("BERT4Rec", "bert4rec"),
)
THEIRS = (*QUICK_PEERS, *NETWORKS)
