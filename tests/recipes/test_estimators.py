"""The library as a notebook uses it: frames in, frames out."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

import recipes
from recipes import Dataset, ItemAffinity, Model, PersonalizedRanking, RecipeError, Sims, UserPersonalization, catalogue
from recipes.estimators import Estimator

GENRES = ("comedy", "drama")


def frames(num_users: int = 24, num_items: int = 12) -> tuple[pd.DataFrame, pd.DataFrame]:
    """User u watches the items of their genre, u modulo two, all but one; items are numbers, as in many exports."""
    events = [
        (user, item, 1_700_000_000 + 60 * (user * num_items + place))
        for user in range(num_users)
        for place, item in enumerate(np.random.default_rng(user).permutation(np.arange(user % 2, num_items, 2))[:-1])
    ]
    items = pd.DataFrame({"item_id": range(num_items), "genre": [GENRES[item % 2] for item in range(num_items)]})
    return pd.DataFrame(events, columns=["user_id", "item_id", "timestamp"]), items


@pytest.fixture(scope="module")
def data() -> Dataset:
    interactions, items = frames()
    return Dataset.from_frames(interactions, items=items)


@pytest.fixture(scope="module")
def model(data) -> Model:
    return UserPersonalization(mode="fast").fit(data)


def test_it_works(data, model):
    found = model.recommend(["3", "nobody"], k=4, exclude_seen=True)
    assert list(found.columns) == ["user_id", "item_id", "rank", "score"]
    assert found[found.user_id == "3"].item_id.iloc[0] in {"1", "3", "5", "7", "9", "11"}
    assert found.groupby("user_id")["rank"].apply(list).to_dict() == {"3": [1, 2, 3, 4], "nobody": [1, 2, 3, 4]}
    assert repr(data) == "Dataset(120 interactions, 24 users, 12 items)"


def test_seen_items_are_left_out(model):
    history = {"0", "2", "4", "6", "8", "10"}
    found = model.recommend(["0"], k=12, exclude_seen=True)
    assert len(set(found.item_id) & history) == 1  # of the user's genre, the one not watched
    assert len(model.recommend(["0"], k=12)) == 12


def test_everybody_is_served_by_default(model):
    assert model.recommend(k=1).user_id.nunique() == 24


def test_a_model_explains_and_ranks(model):
    reasons = model.explain("3", "5")
    assert set(reasons.item_id.dropna()) <= {str(item) for item in range(1, 12, 2)}
    assert reasons.weight.is_monotonic_decreasing
    ranked = model.rank("3", ["0", "unheard of", "5"])
    assert ranked.item_id.tolist()[2] == "unheard of"
    assert np.isnan(ranked.score.iloc[2])


def test_a_saved_model_answers_alike(model, tmp_path):
    model.save(tmp_path / "model")
    again = Model.load(tmp_path / "model")
    pd.testing.assert_frame_equal(again.recommend(["1", "2"], k=5), model.recommend(["1", "2"], k=5))


def test_a_folder_of_something_else_is_not_replaced(model, tmp_path):
    (tmp_path / "thesis.txt").write_text("five years of work")
    with pytest.raises(ValueError, match="not a model"):
        model.save(tmp_path)


def test_related_items_and_segments(data):
    related = Sims().fit(data).related(["0"], k=3)
    assert set(related.item_id) <= {"2", "4", "6", "8", "10"}
    users = ItemAffinity().fit(data).segment(["1"], k=3)
    assert {int(user) % 2 for user in users.user_id} == {1}
    with pytest.raises(TypeError, match="does not offer user segments"):
        Sims().fit(data).segment(["1"])


def test_an_estimator_is_evaluated_beside_popularity(data):
    table = PersonalizedRanking(mode="fast").evaluate(data)
    row = table.loc["normalized_discounted_cumulative_gain_at_10"]
    assert row.low <= row.value <= row.high
    assert row.value > row.popularity


def test_every_recipe_for_items_has_an_estimator():
    named = {
        found.name
        for found in map(recipes.__getattr__, recipes.ESTIMATORS)
        if issubclass(found, Estimator) and found is not Estimator
    }
    assert named == set(catalogue.RECIPES) - {"aws-next-best-action"}  # its actions come with a dataset of their own


def test_hyperparameters_are_checked():
    with pytest.raises(ValueError, match="no hyperparameter hiden_dimension"):
        UserPersonalization(hiden_dimension=3)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("user_id", None, r"interactions: row c: USER_ID is empty"),
        ("user_id", "", r"interactions: row c: USER_ID is empty"),
        ("item_id", 1.5, r"interactions: row c: ITEM_ID is 1.5, text or a whole number"),
        ("item_id", 2.0**60, r"interactions: row c: ITEM_ID is .*, text or a whole number below"),
        ("timestamp", None, r"interactions: row c: TIMESTAMP is empty"),
        ("timestamp", 1_700_000_000_000, r"interactions: row c: TIMESTAMP is 1700000000000.*milliseconds"),
    ],
)
def test_an_unusable_value_is_named_with_its_row(column, value, message):
    table = {"user_id": ["u1", "u1", "u2"], "item_id": [1.0, 2.0, 1.0], "timestamp": [1, 2, 3]}
    table[column][2] = value
    with pytest.raises(RecipeError, match=message):
        Dataset.from_frames(pd.DataFrame(table, index=["a", "b", "c"]))


def test_text_is_no_time():
    table = pd.DataFrame({"user_id": ["u"], "item_id": ["i"], "timestamp": ["yesterday"]})
    with pytest.raises(RecipeError, match=r"row 0: TIMESTAMP is 'yesterday', seconds since 1970 or datetimes"):
        Dataset.from_frames(table)


def test_a_missing_column_is_named_with_those_there_are():
    with pytest.raises(RecipeError, match="column ITEM_ID is missing, it has user_id, timestamp"):
        Dataset.from_frames(pd.DataFrame({"user_id": ["u"], "timestamp": [1]}))
    with pytest.raises(RecipeError, match="items: column ITEM_ID is missing"):
        Dataset.from_frames(frames()[0], items=pd.DataFrame({"title": ["x"]}))
    with pytest.raises(RecipeError, match="USER_ID stands for several columns"):
        Dataset.from_frames(pd.DataFrame({"user_id": ["u"], "USER_ID": ["u"], "item_id": ["i"], "timestamp": [1]}))
    with pytest.raises(RecipeError, match="no rows"):
        Dataset.from_frames(frames()[0].iloc[:0])


def test_ids_and_times_come_as_pandas_has_them():
    times = [datetime(1969, 12, 31, 23, 59, 59), datetime(2024, 1, 1)]  # noqa: DTZ001  frames are often without a zone
    table = pd.DataFrame({"user_id": pd.Categorical([7, 7]), "item_id": [1.0, np.float64(2)], "datetime": times})
    training = Dataset.from_frames(table).training
    assert training.user_ids.array.to_pylist() == ["7"]
    assert training.item_ids.array.to_pylist() == ["1", "2"]
    assert training.interactions.timestamp.tolist() == [-1, 1_704_067_200]


def test_codes_stay_text():
    table = pd.DataFrame({"user_id": ["007", "9148955329465708066"], "item_id": ["01", "1"], "timestamp": [1, 2]})
    training = Dataset.from_frames(table).training
    assert training.user_ids.array.to_pylist() == ["007", "9148955329465708066"]
    assert training.num_items == 2


def test_parquet_and_csv_give_the_same_data(tmp_path):
    interactions, items = frames()
    interactions.to_parquet(tmp_path / "interactions.parquet")
    items.to_parquet(tmp_path / "items.parquet")
    interactions.rename(columns=str.upper).to_csv(tmp_path / "interactions.csv", index=False)
    items.rename(columns=str.upper).to_csv(tmp_path / "items.csv", index=False)
    found = [
        Dataset.from_parquet(tmp_path / "interactions.parquet", tmp_path / "items.parquet"),
        Dataset.from_csv(tmp_path / "interactions.csv", tmp_path / "items.csv"),
        Dataset.from_frames(interactions, items),
    ]
    for data in found:
        assert data.training.item_ids.array.to_pylist() == found[2].training.item_ids.array.to_pylist()
        assert data.training.interactions.item_index.tolist() == found[2].training.interactions.item_index.tolist()


def test_a_text_is_no_list_of_ids(model):
    with pytest.raises(ValueError, match=r"write \['196'\]"):
        model.recommend("196")
    with pytest.raises(ValueError, match="k is 0"):
        model.recommend(["1"], k=0)


def test_unknown_ids_are_refused_by_explain(model):
    with pytest.raises(ValueError, match="item 'x' is unknown; there are 12 items"):
        model.explain("1", "x")
    with pytest.raises(ValueError, match="user 'x' is unknown; there are 24 users"):
        model.explain("x", "1")
