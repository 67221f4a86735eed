"""Paths of the pages about models: recipes, solutions, versions, comparison, campaigns, recommenders."""

from __future__ import annotations

from functools import partial

from django.urls import path, re_path

from console.web.evaluation import anyone, compare, distribution, experiments
from console.web.lists import list_urls, list_view
from console.web.model_kinds import CAMPAIGNS, EXPERIMENTS, RECOMMENDERS, SHARED, SOLUTIONS, VERSIONS
from console.web.serving import campaigns, exploration, off_policy, panel, playground, traffic
from console.web.training import choosing, recommenders, versions

SERVER = r"(?P<slug>campaigns|recommenders)/(?P<name>[^/]+)"

urlpatterns = [
    path("recipes/", choosing.recipes_view, name="recipes"),
    path("recipes/<str:name>/", choosing.recipe_view, name="recipes-detail"),
    path("create/solutions/", choosing.create_solution_view, name="solutions-create"),
    *list_urls(SOLUTIONS),
    path("solutions/<str:name>/", versions.solution_view, name="solutions-detail"),
    path("solutions/<str:name>/train/", versions.train_view, name="solutions-train"),
    path("solutions/<str:name>/schedule/", versions.schedule_view, name="solutions-schedule"),
    path("solution-versions/", partial(list_view, kind=VERSIONS), name="solution-versions"),
    path("solution-versions/<path:name>/progress/", versions.progress_view, name="solution-versions-progress"),
    path("solution-versions/<path:name>/stop/", versions.stop_view, name="solution-versions-stop"),
    path("solution-versions/<path:name>/retry/", versions.retry_view, name="solution-versions-retry"),
    path("solution-versions/<path:name>/", versions.version_view, name="solution-versions-detail"),
    path("compare/", compare.compare_view, name="compare"),
    path("compare/lengths/", distribution.lengths_view, name="compare-lengths"),
    path("compare/exposure/", distribution.exposure_view, name="compare-exposure"),
    path("compare/segments/", distribution.segments_view, name="compare-segments"),
    path("compare/users/", distribution.outcomes_view, name="compare-users"),
    path("compare/user/", distribution.evaluated_view, name="compare-user"),
    path("compare/anyone/", anyone.anyone_view, name="compare-anyone"),
    path("compare/anyone/users/", anyone.anyone_users_view, name="compare-anyone-users"),
    path("compare/anyone/why/", panel.version_why_view, name="compare-anyone-why"),
    path("compare/together/", compare.together_view, name="compare-together"),
    *list_urls(SHARED),
    path("shared-evaluations/<str:name>/", compare.shared_view, name="shared-evaluations-detail"),
    *list_urls(CAMPAIGNS),
    path("create/campaigns/", campaigns.create_campaign_view, name="campaigns-create"),
    path("campaigns/<str:name>/", campaigns.campaign_view, name="campaigns-detail"),
    path("campaigns/<str:name>/update/", campaigns.update_campaign_view, name="campaigns-update"),
    path("campaigns/<str:name>/event/", playground.event_view, name="campaigns-event"),
    path("campaigns/<str:name>/rollback/", campaigns.rollback_view, name="campaigns-rollback"),
    *list_urls(EXPERIMENTS),
    path("create/experiments/", experiments.create_experiment_view, name="experiments-create"),
    path("campaigns/<str:name>/experiments/", experiments.experiments_view, name="campaign-experiments"),
    path("campaigns/<str:campaign>/experiments/<str:name>/", experiments.experiment_view, name="experiments-detail"),
    re_path(
        r"^campaigns/(?P<campaign>[^/]+)/experiments/(?P<name>[^/]+)/(?P<action>stop|promote)/$",
        experiments.end_experiment_view,
        name="experiments-end",
    ),
    *list_urls(RECOMMENDERS),
    path("create/recommenders/", recommenders.create_recommenders_view, name="recommenders-create"),
    path("recommenders/<str:name>/", recommenders.recommender_view, name="recommenders-detail"),
    path("recommenders/<str:name>/update/", recommenders.update_recommender_view, name="recommenders-update"),
    path("recommenders/<str:name>/progress/", recommenders.progress_view, name="recommenders-progress"),
    path("recommenders/<str:name>/do/<str:action>/", recommenders.act_view, name="recommenders-act"),
    re_path(rf"^{SERVER}/exploration/$", exploration.exploration_view, name="panel-exploration"),
    re_path(rf"^{SERVER}/without-exploration/$", off_policy.off_policy_view, name="panel-off-policy"),
    re_path(rf"^{SERVER}/traffic/$", traffic.traffic_view, name="panel-traffic"),
    re_path(rf"^{SERVER}/requests/(?P<identifier>[^/]+)/$", traffic.trace_view, name="panel-trace"),
    re_path(rf"^{SERVER}/users/$", panel.users_view, name="panel-users"),
    re_path(rf"^{SERVER}/items/$", panel.items_view, name="panel-items"),
    re_path(rf"^{SERVER}/why/$", panel.why_view, name="panel-why"),
]
