"""Choosing a recipe, training it and reading what came of it, as a person does."""

from __future__ import annotations

import pytest

from console.models import Dataset, DatasetGroup, Solution, SolutionVersion, Status
from console.web.evaluation.report import report_context
from tests import worlds
from tests.factories import text_of

CREATE = "/create/solutions/?group=films&recipe=aws-sims"
ENTERED = {"name": "also", "set_popularity_discount_factor": "0.5", "set_min_cointeraction_count": "3", "max_jobs": "8"}


@pytest.fixture
def group(account):
    return worlds.films(account)


def train(client, group, recipe: str = "aws-sims", name: str = "also") -> SolutionVersion:
    answer = client.post(f"/create/solutions/?group={group.name}&recipe={recipe}", {"name": name})
    assert answer.status_code == 302, text_of(answer)
    return SolutionVersion.objects.get(solution__name=name)


def test_it_works(alice, group, run_jobs):
    answer = alice.post(CREATE, ENTERED)
    version = SolutionVersion.objects.get()
    assert answer["Location"] == f"/solution-versions/also/{version.identifier}/"
    assert "Waiting for a worker" in text_of(alice.get(answer["Location"]))
    run_jobs()
    page = text_of(alice.get(answer["Location"]))
    assert "Precision at 5" in page
    assert "Create campaign" in page
    assert 'data-chart="bars"' in page
    assert "Popularity" in page
    assert "Best possible" in page


def test_recipes_are_held_against_the_data(alice, group):
    page = text_of(alice.get("/recipes/?group=films"))
    assert "1,440 interactions." in page
    assert "Data on 80 items." in page
    assert "No actions yet, some are needed." in page
    assert "group=films&amp;recipe=aws-sims" in page
    assert "recipe=aws-next-best-action" not in page


def test_the_data_at_hand_say_what_to_start_with(alice, group):
    start = [(recipe["name"], reason) for recipe, reason in alice.get("/recipes/?group=films").context["start"]]
    assert [name for name, _ in start] == ["aws-user-personalization", "aws-similar-items", "aws-popularity-count"]
    assert "new items get a chance" in start[0][1]
    page = text_of(alice.get("/recipes/?group=films"))
    assert page.count('recipe=aws-user-personalization"') == 1
    assert page.index("Start here") < page.index("All other recipes")
    Dataset.objects.filter(type="ITEMS").delete()
    start = [recipe["name"] for recipe, _ in alice.get("/recipes/?group=films").context["start"]]
    assert start == ["aws-user-personalization", "aws-sims", "aws-popularity-count"]
    DatasetGroup.objects.update(domain="ECOMMERCE")
    page = text_of(alice.get("/recipes/?group=films"))
    assert page.index("Create recommenders") < page.index("Or by hand")


def test_an_empty_group_allows_no_recipe(alice, films):
    page = text_of(alice.get("/recipes/?group=films"))
    assert "No interactions yet, at least 1,000 are needed." in page
    assert "recipe=aws-sims" not in page


def test_a_recipe_has_a_page_of_its_own(alice, db):
    page = text_of(alice.get("/recipes/aws-sims/"))
    assert "popularity_discount_factor" in page
    assert "An item id" in page
    assert alice.get("/recipes/aws-nothing/").status_code == 404


def test_a_value_out_of_range_is_said_at_its_field_and_makes_nothing(alice, group):
    answer = alice.post(CREATE, ENTERED | {"set_popularity_discount_factor": "7"})
    assert answer.status_code == 400
    errors = answer.context["form"].errors
    assert "allowed is a number from 0 to 1" in errors["set_popularity_discount_factor"][0]
    assert not Solution.objects.exists()


def test_a_taken_name_is_said_at_the_name(alice, group):
    alice.post(CREATE, ENTERED)
    answer = alice.post(CREATE, ENTERED)
    assert "choose another name" in answer.context["form"].errors["name"][0]
    assert SolutionVersion.objects.count() == 1


def test_a_refused_version_leaves_no_solution_behind(alice, group, settings):
    settings.QUOTAS = settings.QUOTAS | {"PENDING_SOLUTION_VERSIONS": 0}
    answer = alice.post(CREATE, ENTERED)
    assert answer.status_code == 400
    assert "PENDING_SOLUTION_VERSIONS" in text_of(answer)
    assert not Solution.objects.exists()


def test_only_what_differs_from_the_defaults_is_kept(alice, group):
    alice.post(CREATE, ENTERED | {"set_min_cointeraction_count": "2", "event_0_type": "watch", "event_0_weight": "0.5"})
    assert Solution.objects.get().config == {
        "algorithmHyperParameters": {"min_cointeraction_count": "2"},
        "eventsConfig": {"eventParametersList": [{"eventType": "watch", "weight": 0.5}]},
    } | {"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["EVENT_VALUE"]}}}


def test_tuning_sends_the_ranges_that_were_ticked(alice, group):
    ranges = {"tune_popularity_discount_factor": "on", "low_popularity_discount_factor": "0.2",
              "high_popularity_discount_factor": "0.8"}  # fmt: skip
    alice.post(CREATE, ENTERED | ranges | {"perform_hpo": "on", "max_jobs": "4", "max_parallel": "2"})
    hpo = Solution.objects.get().config["hpoConfig"]
    assert hpo["hpoResourceConfig"] == {"maxNumberOfTrainingJobs": "4", "maxParallelTrainingJobs": "2"}
    assert hpo["algorithmHyperParameterRanges"] == {
        "continuousHyperParameterRanges": [{"name": "popularity_discount_factor", "minValue": 0.2, "maxValue": 0.8}]
    }


def test_a_trial_can_be_made_a_solution_of(alice, group, run_jobs):
    ranges = {"tune_min_cointeraction_count": "on", "low_min_cointeraction_count": "0",
              "high_min_cointeraction_count": "5"}  # fmt: skip
    alice.post(CREATE, ENTERED | ranges | {"perform_hpo": "on", "max_jobs": "2", "max_parallel": "2"})
    run_jobs()
    version = SolutionVersion.objects.get()
    page = alice.get(f"/solution-versions/{version.arn_name}/")
    assert 'data-chart="trials"' in text_of(page)
    assert "Importance is shown after six finished trials" in text_of(page)
    query = page.context["trials"][-1]["query"]
    form = alice.get(f"{CREATE}&like=also&{query}").context["form"]
    assert form["name"].value() == "also-2"
    assert not form["perform_hpo"].value()
    assert f"set_min_cointeraction_count={form['set_min_cointeraction_count'].value()}" in query


def test_what_mattered_in_a_tuning_is_told(alice, group, run_jobs):
    train(alice, group)
    run_jobs()
    version = SolutionVersion.objects.get()
    trials = [
        {"number": n, "parameters": {"dial": str(n), "noise": str(n % 2)}, "value": n / 10, "seconds": 1.0}
        for n in range(7)
    ]
    pruned = {"number": 7, "parameters": {"dial": "9", "noise": "1"}, "value": None, "seconds": 0.1}
    version.report |= {"trials": [*trials, pruned], "objective": "ndcg_at_25"}
    version.save()
    page = alice.get(f"/solution-versions/{version.arn_name}/")
    assert [(one["name"], one["percent"], one["is_chance"]) for one in page.context["importances"]] == [
        ("dial", 100, False), ("noise", 0, True),
    ]  # fmt: skip
    assert "ended early" in text_of(page)
    assert "Explains of the differences in NDCG at 25" in text_of(page)


def test_training_again_makes_another_version(alice, group, run_jobs):
    train(alice, group)
    run_jobs()
    answer = alice.post("/solutions/also/train/", {"mode": "FULL"})
    assert SolutionVersion.objects.count() == 2
    assert answer["Location"].startswith("/solution-versions/also/")
    assert text_of(alice.get("/solutions/also/")).count("/solution-versions/also/") >= 2


def test_the_schedule_is_changed_on_the_solution(alice, group):
    train(alice, group)
    alice.post("/solutions/also/schedule/", {"perform_auto_training": "on", "days": "3"})
    solution = Solution.objects.get()
    assert solution.perform_auto_training
    assert solution.days_between_trainings == 3


def test_progress_reloads_the_page_at_the_end(alice, group, run_jobs):
    address = f"/solution-versions/{train(alice, group).arn_name}/progress/"
    assert "HX-Refresh" not in alice.get(address)
    run_jobs()
    assert alice.get(address)["HX-Refresh"] == "true"


def test_a_waiting_training_can_be_stopped_and_retried(alice, group, run_jobs):
    version = train(alice, group)
    alice.post(f"/solution-versions/{version.arn_name}/stop/")
    version.refresh_from_db()
    assert version.status == Status.CREATE_STOPPED
    assert "Retry with changes" in text_of(alice.get(f"/solution-versions/{version.arn_name}/"))
    alice.post(f"/solution-versions/{version.arn_name}/retry/")
    run_jobs()
    version.refresh_from_db()
    assert version.status == Status.ACTIVE


def test_a_failed_training_says_why(alice, account, run_jobs):
    group = worlds.films(account, "small", users=10, each=4)
    alice.post("/create/solutions/?group=small&recipe=aws-sims", {"name": "small"})
    run_jobs()
    version = SolutionVersion.objects.get(solution__dataset_group=group)
    assert version.status == Status.CREATE_FAILED
    page = text_of(alice.get(f"/solution-versions/{version.arn_name}/"))
    assert version.failure_reason in page.replace("&#x27;", "'")
    assert "Retry" in page


def test_looking_changes_nothing(alice, group):
    version = train(alice, group)
    for act in ("stop", "retry"):
        assert alice.get(f"/solution-versions/{version.arn_name}/{act}/").status_code == 405
    assert alice.get("/solutions/also/train/").status_code == 405


def test_a_viewer_reads_and_writes_nothing(alice, vera, group, run_jobs):
    version = train(alice, group)
    run_jobs()
    page = text_of(vera.get(f"/solution-versions/{version.arn_name}/"))
    assert "Precision at 5" in page
    assert "Create campaign" not in page
    assert vera.get(CREATE).status_code == 403
    assert vera.post("/solutions/also/train/").status_code == 403


def test_another_account_sees_nothing(alice, charlie, group):
    version = train(alice, group)
    for address in ("/solutions/also/", f"/solution-versions/{version.arn_name}/", "/recipes/?group=films"):
        assert charlie.get(address).status_code == 404
    assert "also" not in text_of(charlie.get("/solutions/"))


def test_the_end_of_learning_is_told():
    epochs = [{"epoch": 1, "loss": 3.0}, {"epoch": 2, "loss": 2.0}]
    told = report_context({"epochs": epochs, "bestEpoch": 1}, {})["ending"]
    assert told == "Stopped after epoch 2: nothing got better after epoch 1, whose model is kept."
    rounds = [{"epoch": n, "round": 1 + (n > 6), "loss": 3.0} for n in range(1, 8)]
    told = report_context({"epochs": rounds, "bestEpoch": 5}, {})["ending"]
    assert told == "7 epochs in 2 rounds; the validation was best after epoch 5."
    assert report_context({}, {})["ending"] == ""
