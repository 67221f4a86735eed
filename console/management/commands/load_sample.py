"""`manage.py load_sample NAME`: sample data, trained and deployed; then its metrics and a user's ten recommendations."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.management.people import DEFAULT_ACCOUNT, account_named, require_database
from console.models import Account, Campaign, SampleLoad, SolutionVersion
from console.operations.base import call_by_wire_names
from console.samples.loading import SAMPLES

LOST_S = 60
SHOWN_METRICS = {
    "normalized_discounted_cumulative_gain_at_10": "NDCG@10",
    "mean_reciprocal_rank_at_25": "MRR@25",
    "precision_at_10": "precision@10",
    "coverage": "coverage",
}


class Command(BaseCommand):
    help = "Load a sample into an account; a running server does the work."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=SAMPLES)
        parser.add_argument("--account", default=DEFAULT_ACCOUNT)

    def handle(self, *_args: Any, **options: Any) -> None:
        require_database()
        account = account_named(options["account"])
        call_by_wire_names("LoadSample", account, {"sampleName": options["name"]})
        self._wait(account, options["name"])
        self._show(account, options["name"])

    def _wait(self, account: Account, name: str) -> None:
        shown = 0
        while True:
            row = SampleLoad.objects.for_account(account).get(name=name)
            log = row.progress.get("log", [])
            for line in log[shown:]:
                self.stdout.write(f"  {line}")
            self.stdout.flush()
            shown = len(log)
            if not row.is_unfinished:
                break
            time.sleep(0.3)
        if row.status != row.done:
            raise CommandError(f"Loading {name} ended {row.status}: {row.failure_reason}")

    def _show(self, account: Account, name: str) -> None:
        sample = SAMPLES[name]
        self.stdout.write(f"\nMetrics on the frozen test set of {name}")
        self.stdout.write(f"  {'solution':<24}" + "".join(f"{title:>16}" for title in SHOWN_METRICS.values()))
        for solution in sample.solutions:
            version = SolutionVersion.objects.filter(
                solution__account=account, solution__name=solution, status="ACTIVE"
            ).first()
            if version:
                figures = "".join(f"{version.metrics.get(key, float('nan')):>16.4f}" for key in SHOWN_METRICS)
                self.stdout.write(f"  {solution:<24}{figures}")
        campaign = Campaign.objects.for_account(account).filter(name=sample.campaigns[0].name).first()
        if campaign:
            self._recommend(account, campaign)

    def _recommend(self, account: Account, campaign: Campaign) -> None:
        users = call_by_wire_names("SearchUsers", account, {"campaignArn": campaign.arn, "maxResults": 1})
        user = users["users"][0]["userId"]
        members = {"campaignArn": campaign.arn, "userId": user, "numResults": 10}
        items = call_by_wire_names("TestRecommendations", account, members)["items"]
        self.stdout.write(f"\nTen recommendations of {campaign.name} for user {user}")
        for rank, item in enumerate(items, start=1):
            self.stdout.write(f"  {rank:>2}. {item.get('title') or item['itemId']:<60} {item.get('score', 0):.4f}")
