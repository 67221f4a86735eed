"""Home, creating and deleting dataset groups, and the steps."""

from __future__ import annotations

from console.models import DatasetGroup, SampleLoad
from console.web.data.steps import steps_of
from tests.factories import make_filter
from tests.web.conftest import bring, filled_in, watched, words
from tests.worlds import films as world


def test_it_works(alice, account):
    answer = alice.post("/create/dataset-groups/", {"name": "films", "domain": ""})
    assert answer["Location"] == "/dataset-groups/films/"
    page = alice.get("/dataset-groups/films/").text
    assert "Import interactions" in page
    assert "arn:aws:personalize:us-east-1:000000000001:dataset-group/films" in page


def test_the_first_visit_offers_one_action_and_the_samples(alice):
    page = alice.get("/").text
    assert page.count("btn-primary") == 1
    assert "Create dataset group" in page
    assert "Load sample data" in page
    assert "MovieLens 100K" in page


def test_a_sample_is_queued_and_shows_its_progress(alice, account):
    answer = alice.post("/samples/", {"name": "streaming-demo"})
    assert answer["Location"] == "/samples/streaming-demo/"
    assert SampleLoad.objects.get().name == "streaming-demo"
    assert "waiting for a worker" in alice.get("/samples/streaming-demo/").text


def test_an_unknown_sample_is_refused_with_a_sentence(alice):
    page = alice.post("/samples/", {"name": "nothing"}, follow=True).text
    assert "nothing" in page
    assert "Member must satisfy enum value set" in page


def test_a_taken_name_is_an_error_at_the_name(alice, films):
    answer = alice.post("/create/dataset-groups/", {"name": "films"})
    assert answer.status_code == 200
    assert "already exists; choose another name" in answer.context["form"].errors["name"][0]


def test_a_name_that_breaks_the_pattern_is_an_error_at_the_name(alice, account):
    answer = alice.post("/create/dataset-groups/", {"name": "my films"})
    assert "my films" in answer.context["form"].errors["name"][0]
    assert not DatasetGroup.objects.exists()


def test_the_first_step_is_data_and_the_others_are_blocked(films):
    steps = steps_of(films)
    assert [step.label for step in steps] == ["Data", "Recipe", "Train", "Evaluate", "Deploy", "Test"]
    assert [step.state for step in steps] == ["now", *["blocked"] * 5]
    assert {step.url for step in steps} == {"/create/datasets/?group=films"}
    assert steps[1].hint == "First: import interactions"


def test_after_an_import_the_next_step_is_the_recipe(alice, films, run_jobs):
    preview = bring(alice, watched())
    alice.post(preview, filled_in(alice, preview))
    run_jobs()
    assert [step.state for step in steps_of(films)][:3] == ["done", "now", "blocked"]
    page = words(alice.get("/dataset-groups/films/").text)
    assert "1,200" in page
    assert "40 users · 60 items" in page
    assert "Events over time" in page


def test_deleting_asks_for_the_name(alice, films):
    page = alice.get("/dataset-groups/films/delete/").text
    assert "Type <b>films</b> to delete it" in page
    answer = alice.post("/dataset-groups/films/delete/", {"name": "film"})
    assert answer.status_code == 409
    assert "it was “film”" in answer.text
    assert alice.post("/dataset-groups/films/delete/", {"name": "films"}, follow=True).status_code == 200
    assert not DatasetGroup.objects.exists()


def test_deleting_lists_what_is_in_the_way(alice, films, run_jobs):
    preview = bring(alice, watched())
    alice.post(preview, filled_in(alice, preview))
    page = alice.get("/dataset-groups/films/delete/").text
    assert "cannot be deleted while these use it" in page
    assert 'href="/datasets/films/INTERACTIONS/"' in page
    assert "is in use by" in alice.post("/dataset-groups/films/delete/", {"name": "films"}).text


def test_a_name_with_a_space_is_offered_mended_in_words(alice):
    answer = alice.post("/create/dataset-groups/", {"name": "Mein Laden"})
    assert "Mein Laden has a space" in answer.text
    assert 'value="Mein-Laden"' in answer.text
    assert "regular expression" not in answer.text
    assert "[a-zA-Z" not in answer.text
    alice.post("/create/dataset-groups/", {"name": "Mein-Laden"})
    assert DatasetGroup.objects.filter(name="Mein-Laden").exists()


def test_a_group_can_be_deleted_with_all_that_is_in_it(alice, vera, account):
    make_filter(account, world(account).arn)
    page = words(alice.get("/dataset-groups/films/delete/").text)
    assert "3 datasets. Every version, row and event goes with them" in page
    assert "Delete everything" in page
    assert "1 filter, " in page
    answer = alice.post("/dataset-groups/films/delete/", {"contents": "yes", "name": "film"})
    assert answer.status_code == 409
    assert "type the name of the group, films" in answer.text
    assert vera.post("/dataset-groups/films/delete/", {"contents": "yes", "name": "films"}).status_code == 403
    assert alice.post("/dataset-groups/films/delete/", {"contents": "yes", "name": "films"}).status_code == 302
    assert not DatasetGroup.objects.exists()
