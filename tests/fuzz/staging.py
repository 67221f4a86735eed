"""Where fuzzing takes place: two accounts with data, models and secrets, made in this process's database."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from console import storage
from console.models import AccessKey, Account, Member, Token
from console.operations.base import call_by_wire_names
from tests.aws.everything import RECIPE, ROLE, TAG, World, build, good_calls, run_all
from tests.fuzz.scene import Caller, Scene
from tests.worlds import films

CANARY_SCHEMA = {
    "type": "record",
    "name": "Items",
    "fields": [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "ZZ_CANARY_FIELD", "type": "string", "categorical": True},
    ],
}


def set_up() -> Scene:
    """Make the scene in the database of this process."""
    world = build()
    locations = _hide_secrets(world)
    own = small_world(world.other)
    run_all()
    good = good_calls(world) | _our_calls(world, locations)
    return Scene(_caller(world.account), _caller(world.other), world.arns, good, own, locations)


def _caller(account: Account) -> Caller:
    key = AccessKey.issue(account)
    user = User.objects.create(username=f"person-of-{account.name}")
    Member.objects.create(user=user, account=account)
    return Caller(account.number, key.key_id, key.secret, Token.issue(user), user.username)


def _hide_secrets(world: World) -> list[str]:
    """Give the owner things called after the canary; where its files lie."""
    world.add(
        "canary group", "CreateDatasetGroup", name="zz-canary-group", tags=[{"tagKey": "zz-canary", "tagValue": "x"}]
    )
    world.add("canary schema", "CreateSchema", name="zz-canary-schema", schema=json.dumps(CANARY_SCHEMA))
    world.add("canary dataset", "CreateDataset", name="zz-canary-items", schemaArn=world.arns["canary schema"],
              datasetGroupArn=world.arns["canary group"], datasetType="Items")  # fmt: skip
    world.call("PutItems", datasetArn=world.arns["canary dataset"],
               items=[{"itemId": "zz-canary-item", "properties": '{"zz_canary_field": "zz-canary-value"}'}])  # fmt: skip
    world.add("canary filter", "CreateFilter", name="zz-canary-filter", datasetGroupArn=world.arns["canary group"],
              filterExpression='INCLUDE ItemID WHERE Items.ZZ_CANARY_FIELD IN ("zz-canary-value")')  # fmt: skip
    put = settings.DATA_DIR / "zz-canary.csv"
    put.write_text("USER_ID,AGE,ZZ_CANARY\nzz-canary-user,3,zz-canary-cell\n")
    upload = storage.keep_upload(world.account, put, "zz-canary.csv")
    output = {"s3DataDestination": {"path": "s3://reports-of-owner/zz-canary/"}}
    world.add("canary export", "CreateDatasetExportJob", jobName="zz-canary-export", roleArn=ROLE, jobOutput=output,
              datasetArn=world.arns["canary dataset"], ingestionMode="ALL")  # fmt: skip
    return [str(upload), "s3://reports-of-owner/zz-canary/", f"s3://uploads/{world.account.number}/"]


def small_world(account: Account) -> dict[str, str]:
    """A group with a campaign of the stranger's own."""
    found = {"group": films(account, "own").arn}

    def add(key: str, operation: str, **members: Any) -> None:
        made = call_by_wire_names(operation, account, members)
        found[key] = next(value for name, value in made.items() if name.endswith("Arn"))

    add("solution", "CreateSolution", name="own", datasetGroupArn=found["group"], performAutoTraining=False,
        recipeArn=f"{RECIPE}aws-popularity-count")  # fmt: skip
    add("version", "CreateSolutionVersion", solutionArn=found["solution"])
    run_all()
    add("campaign", "CreateCampaign", name="own", solutionVersionArn=found["version"])
    add("filter", "CreateFilter", name="own", datasetGroupArn=found["group"],
        filterExpression="INCLUDE ItemID WHERE Items.PRICE < 5")  # fmt: skip
    add("tracker", "CreateEventTracker", name="own", datasetGroupArn=found["group"], tags=[TAG])
    return found


def _our_calls(world: World, locations: list[str]) -> dict[str, dict[str, Any]]:
    """Good calls of what OpenPersonalize adds."""
    arns = world.arns
    source = {"campaignArn": arns["campaign top"]}
    return {
        "GetAttributedMetrics": {"metricAttributionArn": arns["attribution"]},
        "ListRecipeChoices": {"datasetGroupArn": arns["group"]},
        "PreviewData": {"dataLocation": locations[0], "datasetType": "Users", "format": {"delimiter": ","}},
        "CreateDatasetFromFile": {"datasetGroupArn": arns["group"], "dataLocation": locations[0], "datasetType": "Users",
                                  "columns": [{"name": "USER_ID", "source": "USER_ID"},
                                              {"name": "AGE", "source": "AGE", "type": "int"}],
                                  "maxBadRowsPercent": 5.0},
        "GetDatasetImportReport": {"datasetImportJobArn": arns["import"]},
        "ProfileDataset": {"datasetArn": arns["ITEMS"]},
        "DescribeSample": {"sampleArn": f"arn:aws:personalize:us-east-1:{world.account.number}:sample/movielens-100k"},
        "LoadSample": {"sampleName": "movielens-1m"},
        "SearchUsers": {**source, "query": "u", "kind": "heavy", "maxResults": 5},
        "SearchItems": {**source, "query": "i", "maxResults": 5},
        "GetItemCards": {**source, "itemIds": ["i1", "i2"]},
        "GetUserHistory": {**source, "userId": "u1", "maxResults": 5},
        "TestRecommendations": {**source, "userId": "u1", "numResults": 5, "history": ["i3"],
                                "filterExpression": "INCLUDE ItemID WHERE Items.PRICE < $P", "filterValues": {"P": "5"}},
        "ExplainRecommendation": {**source, "userId": "u1", "itemId": "i1", "numResults": 5},
        "PreviewFilter": {"datasetGroupArn": arns["group"], "filterExpression": "EXCLUDE ItemID WHERE Items.PRICE < 5",
                          "userId": "u1", "maxResults": 5},
        "GetItemDisplay": {"datasetArn": arns["ITEMS"]},
        "UpdateItemDisplay": {"datasetArn": arns["ITEMS"], "titleColumn": "TITLE", "subtitleColumns": ["PRICE"],
                              "picture": "https://images.example/{ITEM_ID}.jpg"},
        "SearchFilterValues": {"datasetGroupArn": arns["group"], "field": "Items.PRICE", "query": "a", "maxResults": 5},
        "StopJob": {"resourceArn": arns["waiting version"]},
        "GetSolutionVersionReport": {"solutionVersionArn": arns["version top"]},
        "CompareSolutionVersions": {"solutionVersionArns": [arns["version top"], arns["version rank"]]},
        "RetryJob": {"resourceArn": arns["version top"]},
    }  # fmt: skip
