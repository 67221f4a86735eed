"""Signing in by an OpenID provider, through real HTTP: who comes in, as whom and as what."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.models import AuditEntry, Identity, Member, SignIn
from tests.conftest import person
from tests.web.account.conftest import accepted, agreed, invited, query, walk, went_out


def audited(operation: str) -> AuditEntry:
    return AuditEntry.objects.filter(operation=operation).first()


@pytest.fixture
def open_door(settings, account):
    """Who comes for the first time becomes a viewer of alice's account."""
    settings.OIDC_ACCOUNT, settings.OIDC_ROLE = account.name, "viewer"


@pytest.fixture
def linked(alice, provider) -> Client:
    """Alice, who linked the identity of the provider's person."""
    assert walk(alice, "/settings/you/identities/link/", password="right-password")["Location"] == "/settings/you/"
    return alice


def test_it_works(linked):
    client = Client()
    answer = walk(client, next="/trash/")
    assert answer["Location"] == "/trash/"
    assert client.get("/settings/you/").context["request"].user.get_username() == "alice"
    assert SignIn.objects.filter(user__username="alice").count() == 2


def test_without_a_provider_nothing_is_offered(client, alice):
    assert "/accounts/openid/" not in client.get("/accounts/login/").text
    assert "identities" not in alice.get("/settings/you/").text
    assert client.post("/accounts/openid/").status_code == 404
    assert client.get("/accounts/openid/back/?state=x&code=y").status_code == 404


def test_who_is_not_known_comes_in_only_where_an_account_takes_people_in(account, provider, settings):
    answer = walk(Client())
    assert (answer.status_code, "Nobody here signs in by this identity" in answer.text) == (403, True)
    assert not User.objects.exists()
    settings.OIDC_ACCOUNT, settings.OIDC_ROLE = account.name, "analyst"
    client = Client()
    assert walk(client).status_code == 302
    assert client.get("/").status_code == 200
    bob = User.objects.get(username="bob")
    assert (bob.member.account, bob.member.role, bob.has_usable_password()) == (account, "analyst", False)
    assert audited("FirstSignIn").after["subject"] == "s-1"
    assert walk(Client()).status_code == 302
    assert User.objects.count() == 1


def test_an_account_that_is_missing_takes_nobody_in(db, provider, settings):
    settings.OIDC_ACCOUNT, settings.OIDC_ROLE = "nowhere", "viewer"
    assert walk(Client()).status_code == 403


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("bob", "bob"), ("alice", "alice-2"), ("ALICE", "ALICE-2"), ("Bob Ö. <b>", "Bob-Ö.-b"), ("  ", "person"), ("é" * 300, "é" * 140), (None, "person"),
        ("\ud800\x00b", "b"), ("ﷺ", "صلى-الله-عليه-وسلم"), ("ﬁ" * 140, "fi" * 70),
    ],
)  # fmt: skip
def test_names_are_made_such_as_names_may_be(open_door, alice, provider, said, name):
    provider.person = {"sub": "s-1", "preferred_username": said}
    assert walk(Client()).status_code == 302
    made = User.objects.exclude(username="alice").get()
    assert made.username == name
    User.username_validator(made.username)


@pytest.mark.parametrize(("verified", "kept"), [(True, "bob@example.org"), (False, ""), ("true", ""), (None, "")])
def test_an_address_counts_only_where_the_provider_verified_it(open_door, provider, verified, kept):
    provider.person = {"sub": "s-1", "email": "bob@example.org", "email_verified": verified}
    walk(Client())
    assert User.objects.get().email == kept


def test_an_address_alone_makes_nobody_somebody(open_door, alice, provider):
    User.objects.filter(username="alice").update(email="alice@example.org")
    provider.person = {"sub": "s-1", "email": "alice@example.org", "email_verified": True}
    walk(Client())
    assert Identity.objects.get().user.username == "alice-2"


def test_a_subject_of_another_person_is_another_person(linked, provider):
    provider.person = {"sub": "s-2", "preferred_username": "alice"}
    assert walk(Client()).status_code == 403


def test_what_the_token_lacks_is_asked_of_userinfo(open_door, provider):
    provider.userinfo = {"email": "bob@example.org", "email_verified": True, "preferred_username": "mallory"}
    walk(Client())
    assert (User.objects.get().username, User.objects.get().email) == ("bob", "bob@example.org")


def test_userinfo_of_another_subject_is_not_believed(open_door, provider):
    provider.userinfo = {"sub": "s-2", "email": "eve@example.org", "email_verified": True}
    walk(Client())
    assert User.objects.get().email == ""


def test_an_invitation_is_accepted_without_a_password_and_once(alice, account, provider):
    path = invited(alice, "analyst", "bob@example.org")
    word = path.strip("/").rpartition("/")[2]
    assert "Accept with Example ID" in Client().get(path).text
    client = Client()
    assert walk(client, invitation=word).status_code == 302
    assert client.get("/").status_code == 200
    bob = User.objects.get(username="bob")
    assert (bob.member.role, bob.email, bob.has_usable_password()) == ("analyst", "bob@example.org", False)
    assert audited("AcceptInvitation").after["role"] == "analyst"
    provider.person = {"sub": "s-2"}
    assert walk(Client(), invitation=word).status_code == 404
    assert walk(Client(), invitation="guess").status_code == 404


def test_an_invitation_is_not_used_up_by_somebody_who_is_here_already(linked):
    word = invited(linked).strip("/").rpartition("/")[2]
    assert "is that of alice here" in walk(Client(), invitation=word).text
    assert Client().get(f"/accounts/invitation/{word}/").status_code == 200


def test_who_was_removed_comes_in_by_a_new_invitation_only(alice, provider, settings, account):
    walk(Client(), invitation=invited(alice).strip("/").rpartition("/")[2])
    settings.OIDC_ACCOUNT, settings.OIDC_ROLE = account.name, "owner"
    alice.post(f"/settings/people/{Member.objects.get(user__username='bob').pk}/remove/")
    answer = walk(Client())
    assert (answer.status_code, "You were removed" in answer.text) == (403, True)
    walk(Client(), invitation=invited(alice, "viewer").strip("/").rpartition("/")[2])
    assert Identity.objects.get().user.username == "bob"
    assert walk(Client()).status_code == 302


def test_who_was_removed_keeps_the_name_where_the_provider_takes_the_place_of_the_password(alice, provider):
    accepted(invited(alice), "bob")
    former = Member.objects.get(user__username="bob")
    alice.post(f"/settings/people/{former.pk}/remove/")
    assert walk(Client(), invitation=invited(alice).strip("/").rpartition("/")[2]).status_code == 302
    assert Identity.objects.get().user.username == "bob"
    assert Identity.objects.get().user.pk != former.user_id


def test_who_was_removed_is_not_new_after_somebody_else_got_the_name(alice, provider, settings, account):
    walk(Client(), invitation=invited(alice).strip("/").rpartition("/")[2])
    settings.OIDC_ACCOUNT, settings.OIDC_ROLE = account.name, "owner"
    alice.post(f"/settings/people/{Member.objects.get(user__username='bob').pk}/remove/")
    accepted(invited(alice), "bob")
    assert walk(Client()).status_code == 403
    assert Identity.objects.get().user is None


def test_an_identity_is_linked_and_unlinked_by_posts_alone(linked):
    assert audited("LinkIdentity").actor == "alice"
    row = Identity.objects.get()
    path = f"/settings/you/identities/{row.pk}/unlink/"
    for address in ("/settings/you/identities/link/", path, "/accounts/openid/"):
        assert linked.get(address).status_code == 405
    assert "Unlink" in linked.get("/settings/you/").text
    linked.post(path)
    assert not Identity.objects.exists()
    assert audited("UnlinkIdentity").before == {"issuer": row.issuer, "subject": "s-1"}
    assert walk(Client()).status_code == 403


@pytest.mark.parametrize("password", ["", "wrong"])
def test_whoever_sits_at_a_browser_that_was_left_open_links_nothing(alice, provider, password):
    answer = alice.post("/settings/you/identities/link/", {"password": password}, follow=True)
    assert "That is not your password" in answer.text
    assert answer.text.count('name="password"') > 0
    assert "/authorize" not in provider.asked


def test_who_has_no_password_that_opens_anything_is_not_asked_for_it(alice, account, provider, settings):
    settings.OIDC_ONLY = True
    assert walk(alice, "/settings/you/identities/link/").status_code == 302
    settings.OIDC_ONLY = False
    user = User.objects.get(username="alice")
    Identity.objects.all().delete()
    user.set_unusable_password()
    user.save()
    alice.force_login(user)
    assert walk(alice, "/settings/you/identities/link/").status_code == 302
    assert Identity.objects.get().user == user


def test_forms_of_other_sites_begin_nothing(alice, provider):
    client = Client(enforce_csrf_checks=True)
    client.cookies = alice.cookies
    for path in ("/accounts/openid/", "/settings/you/identities/link/"):
        assert client.post(path).status_code == 403


def test_nobody_unlinks_anothers_identity(linked, vera):
    vera.post(f"/settings/you/identities/{Identity.objects.get().pk}/unlink/")
    assert Identity.objects.exists()


def test_the_only_way_in_stays(open_door, provider):
    client = Client()
    walk(client)
    path = f"/settings/you/identities/{Identity.objects.get().pk}/unlink/"
    assert "your only way in" in client.post(path, follow=True).text
    assert Identity.objects.exists()


def test_who_has_no_password_is_not_asked_to_change_it_or_to_add_to_it(open_door, provider, alice):
    client = Client()
    walk(client)
    for path in ("/accounts/password/", "/settings/you/second-step/"):
        assert path in alice.get("/settings/you/").text
        assert path not in client.get("/settings/you/").text


def test_one_identity_opens_one_user(linked, vera):
    walk(vera, "/settings/you/identities/link/", password="right-password")
    assert "is that of alice here" in vera.get("/settings/you/").text
    assert Identity.objects.get().user.username == "alice"


def test_who_changed_meanwhile_links_nothing(alice, account, provider):
    address = went_out(alice, "/settings/you/identities/link/", password="right-password")
    vera = person(account, "vera", Member.Role.VIEWER)
    alice.cookies["sessionid"] = vera.cookies["sessionid"]
    assert "Somebody else is signed in" in alice.get(agreed(address)).text
    assert not Identity.objects.exists()


@pytest.fixture
def by_groups(settings, account):
    settings.OIDC_ACCOUNT, settings.OIDC_ROLES = account.name, ["data:editor", "admins:owner", "a:b:viewer"]


@pytest.mark.parametrize(
    ("groups", "role"),
    [(["data"], "editor"), (["x", "data", "admins"], "owner"), ("admins", "owner"), (["a:b"], "viewer")],
)
def test_groups_give_roles(by_groups, provider, groups, role):
    provider.person["groups"] = groups
    assert walk(Client()).status_code == 302
    assert Member.objects.get().role == role


@pytest.mark.parametrize("groups", [None, [], ["nothing"], [1, None], {"data": 1}])
def test_who_is_in_no_group_is_refused(by_groups, provider, groups):
    provider.person["groups"] = groups
    answer = walk(Client())
    assert (answer.status_code, "in no group" in answer.text) == (403, True)
    assert not User.objects.exists()


def test_who_left_a_group_loses_its_role(by_groups, alice, provider):
    provider.person["groups"] = ["admins"]
    walk(Client())
    provider.person["groups"] = ["data"]
    walk(Client())
    assert Member.objects.get(user__username="bob").role == "editor"
    assert audited("ChangeRole").after == {"role": "editor"}
    provider.person["groups"] = []
    assert walk(Client()).status_code == 403


def test_groups_of_one_account_give_no_roles_in_another(by_groups, charlie, provider):
    word = invited(charlie, "viewer").strip("/").rpartition("/")[2]
    provider.person["groups"] = ["admins"]
    walk(Client(), invitation=word)
    walk(Client())
    assert Member.objects.get(user__username="bob").role == "viewer"


def test_a_session_begins_anew(open_door, provider, client):
    client.get("/accounts/login/")
    session = client.session
    session["kept"] = 1
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    walk(client)
    assert client.cookies["sessionid"].value != before


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example", "/" * 2000]
)
def test_one_comes_back_to_this_server_only(open_door, provider, place):
    assert walk(Client(), next=place)["Location"] == "/"


def test_a_forged_host_does_not_reach_the_provider(db, provider, settings):
    answer = Client().post("/accounts/openid/", headers={"Host": "evil.example"})
    assert "evil.example" not in answer["Refresh"]
    settings.PUBLIC_URL = "https://recommend.example.org"
    address = went_out(Client())
    assert query(address)["redirect_uri"] == "https://recommend.example.org/accounts/openid/back/"


def test_where_only_the_provider_signs_in_passwords_open_nothing(linked, provider, settings):
    settings.OIDC_ONLY = True
    page = Client().get("/accounts/login/").text
    assert ("Sign in with Example ID" in page, 'name="password"' in page) == (True, False)
    answer = Client().post("/accounts/login/", {"username": "alice", "password": "right-password"})
    assert "Passwords open nothing here" in answer.text
    path = invited(linked)
    assert 'name="password"' not in Client().get(path).text
    Client().post(path, {"username": "eve", "password": "a-long-new-password"})
    assert not User.objects.filter(username="eve").exists()
    assert (
        "only way in" in linked.post(f"/settings/you/identities/{Identity.objects.get().pk}/unlink/", follow=True).text
    )
    assert walk(Client()).status_code == 302


def test_a_client_without_a_secret_and_one_that_posts_it_are_let_in(open_door, provider, settings):
    provider.methods = ["client_secret_post"]
    assert walk(Client()).status_code == 302
    settings.OIDC_CLIENT_SECRET = provider.secret = ""
    assert walk(Client()).status_code == 302


def test_signing_out_offers_to_end_the_providers_sign_in(open_door, provider):
    provider.metadata = {"end_session_endpoint": f"{provider.issuer}/end"}
    client = Client()
    walk(client)
    page = client.post("/accounts/logout/").text
    assert "Sign out of Example ID, too" in page
    assert f'href="{provider.issuer}/end?' in page
    assert "post_logout_redirect_uri=http%3A%2F%2Ftestserver%2Faccounts%2Flogin%2F" in page
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("place", [None, "javascript:alert(1)", 7, "http://x y"])
def test_signing_out_leads_to_no_place_that_is_none(open_door, alice, provider, place):
    provider.metadata = {"end_session_endpoint": place}
    client = Client()
    walk(client)
    for one in (client, alice):
        assert one.post("/accounts/logout/")["Location"] == "/accounts/login/"
