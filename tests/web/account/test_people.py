"""People: invited, given roles, helped, removed; signing in with a second step; where one is signed in."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pyotp
import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from console.models import AuditEntry, Invitation, Member, SignIn, Token, TwoStep
from console.models.people import STEP_S
from console.web.account.members import reset_path
from tests.conftest import person
from tests.web.account.conftest import PASSWORD, accepted, invited, link


def test_an_invitation_leads_into_the_console_with_its_role(alice, account):
    path = invited(alice, "analyst")
    assert "alice" in Client().get(path).text
    bob = accepted(path)
    assert bob.get("/settings/you/").status_code == 200
    member = Member.objects.get(user__username="bob")
    assert (member.account, member.role) == (account, "analyst")
    assert [entry.operation for entry in AuditEntry.objects.filter(account=account)][:2] == [
        "AcceptInvitation",
        "InviteMember",
    ]
    assert "bob" in alice.get("/settings/people/").text


def test_its_link_works_once_and_not_for_ever(alice):
    path = invited(alice)
    accepted(path)
    assert Client().post(path, {"username": "mallory", "password": PASSWORD}).status_code == 404
    late, withdrawn = invited(alice), invited(alice)
    alice.post(f"/settings/people/{Invitation.objects.order_by('-pk')[0].pk}/withdraw/")
    assert Client().get(withdrawn).status_code == 404
    Invitation.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert Client().get(late).status_code == 404
    assert Client().get("/accounts/invitation/guess/").status_code == 404
    assert not User.objects.filter(username="mallory").exists()


def test_its_word_is_shown_once_and_kept_as_a_hash(alice):
    path = invited(alice)
    word = path.strip("/").rpartition("/")[2]
    assert word not in str(Invitation.objects.values())
    assert word not in alice.get("/settings/people/").text


def test_a_taken_name_and_a_short_password_are_told_and_cost_nothing(alice, vera):
    path = invited(alice)
    assert "is taken" in Client().post(path, {"username": "vera", "password": PASSWORD}).text
    assert "too short" in Client().post(path, {"username": "bob", "password": "x"}).text
    accepted(path)


def test_it_is_sent_by_mail_where_there_is_a_server(alice, settings):
    settings.EMAIL_HOST = "mail.example.org"
    path = invited(alice, email="bob@example.org")
    assert path in mail.outbox[0].body
    accepted(path)
    assert User.objects.get(username="bob").email == "bob@example.org"


def test_roles_change_and_an_owner_stays(alice, vera, account):
    row = Member.objects.get(user__username="vera")
    alice.post(f"/settings/people/{row.pk}/role/", {"role": "editor"})
    assert Member.objects.get(pk=row.pk).role == "editor"
    assert "allowed are" in alice.post(f"/settings/people/{row.pk}/role/", {"role": "king"}, follow=True).text
    own = Member.objects.get(user__username="alice")
    for action in ("role", "remove"):
        answer = alice.post(f"/settings/people/{own.pk}/{action}/", {"role": "viewer"}, follow=True)
        assert "only owner" in answer.text
    alice.post(f"/settings/people/{row.pk}/role/", {"role": "owner"})
    alice.post(f"/settings/people/{own.pk}/role/", {"role": "viewer"})
    assert Member.objects.get(pk=own.pk).role == "viewer"
    assert alice.get("/settings/people/").status_code == 403


def test_who_is_removed_has_no_way_in(alice, account):
    bob = accepted(invited(alice))
    user = User.objects.get(username="bob")
    token = Token.issue(user)
    assert bob.get("/").status_code == 200
    alice.post(f"/settings/people/{user.member.pk}/remove/")
    assert bob.get("/").status_code == 302
    assert Client().post("/accounts/login/", {"username": "bob", "password": PASSWORD}).status_code == 200
    answer = Client().get("/api/v1/recipes/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_who_was_removed_and_is_made_anew_comes_in_as_somebody_new(alice):
    bob = accepted(invited(alice))
    user = User.objects.get(username="bob")
    old = Token.issue(user)
    alice.post(f"/settings/people/{user.member.pk}/remove/")
    Token.issue(user)  # as commands did for people who were removed
    with pytest.raises(CommandError, match="bob was removed; create_user bob lets the person in again"):
        call_command("create_token", "--user", "bob")
    told = io.StringIO()
    call_command("create_user", "bob", "--account", "charlie", "--role", "viewer", stdout=told)
    made = json.loads(told.getvalue())
    assert bob.get("/").status_code == 302
    assert not Token.objects.filter(user=user).exists()
    assert not SignIn.objects.filter(user=user).exists()
    assert Client().get("/api/v1/recipes/", headers={"Authorization": f"Bearer {old}"}).status_code == 401
    sign_in = {"username": "bob", "password": made["password"]}
    assert Client().post("/accounts/login/", sign_in).status_code == 302
    call_command("create_token", "--user", "bob", stdout=(told := io.StringIO()))
    token = json.loads(told.getvalue())["token"]
    assert Client().get("/api/v1/recipes/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    member = Member.objects.get(user__username="bob")
    assert (member.account.name, member.role) == ("charlie", "viewer")


def test_the_name_of_who_was_removed_can_be_taken_by_invitation_with_nothing_of_before(alice, vera, account):
    before = accepted(invited(alice, "owner", "bob@old.example"))
    old = User.objects.get(username="bob")
    token, reset = Token.issue(old), reset_path(old)
    TwoStep.objects.create(user=old, secret=pyotp.random_base32(), is_confirmed=True)
    alice.post(f"/settings/people/{old.member.pk}/remove/")
    Token.issue(old)
    SignIn.objects.get_or_create(user=old, session_key=before.session.session_key)

    after = accepted(invited(alice, "viewer"))
    new = User.objects.get(username="bob")
    assert (new.member.account, new.member.role, new.email) == (account, "viewer", "")
    assert after.get("/settings/you/").status_code == 200
    assert before.get("/").status_code == 302
    assert Client().get("/api/v1/recipes/", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert "new_password1" not in Client().get(reset, follow=True).text
    for related in User._meta.related_objects:  # whatever else hangs on a person one day
        assert not related.related_model._default_manager.filter(**{related.field.name: old.pk}).exists(), related
    assert new.pk != old.pk
    assert "is taken" in Client().post(invited(alice), {"username": "vera", "password": PASSWORD}).text
    assert "is taken" in Client().post(invited(alice), {"username": "bob", "password": PASSWORD}).text


def test_a_name_that_is_only_shut_out_is_not_free(alice, account):
    accepted(invited(alice))
    User.objects.filter(username="bob").update(is_active=False)
    assert "is taken" in Client().post(invited(alice), {"username": "bob", "password": PASSWORD}).text
    assert Member.objects.filter(account=account, user__username="bob").exists()


def test_another_accounts_people_cannot_be_touched(alice, charlie):
    row = Member.objects.get(user__username="charlie")
    for action in ("role", "remove", "reset", "second-step", "sign-out"):
        answer = alice.post(f"/settings/people/{row.pk}/{action}/", {"role": "viewer"}, follow=True)
        assert "no such member" in answer.text, action
    assert Member.objects.get(pk=row.pk).role == "owner"
    assert "charlie" not in alice.get("/settings/people/").text


def test_an_owner_gives_a_link_for_a_new_password_that_works_once(alice, vera):
    row = Member.objects.get(user__username="vera")
    path = link(alice.post(f"/settings/people/{row.pk}/reset/", follow=True).text)
    client = Client()
    form = client.get(path, follow=True)
    answer = client.post(form.request["PATH_INFO"], {"new_password1": PASSWORD, "new_password2": PASSWORD})
    assert answer["Location"] == "/accounts/login/"
    assert Client().post("/accounts/login/", {"username": "vera", "password": PASSWORD}).status_code == 302
    assert vera.get("/").status_code == 302  # the old password's sign-ins are over
    assert "was used" in Client().get(path, follow=True).text


def test_a_forgotten_password_is_helped_by_mail_and_tells_nothing_about_addresses(alice, settings, counting):
    User.objects.filter(username="alice").update(email="alice@example.org")
    assert "ask an owner" in Client().get("/accounts/forgotten/").text
    settings.EMAIL_HOST = "mail.example.org"
    known = Client().post("/accounts/forgotten/", {"email": "alice@example.org"}).text
    unknown = Client().post("/accounts/forgotten/", {"email": "nobody@example.org"}).text
    assert known == unknown
    (letter,) = mail.outbox
    assert letter.to == ["alice@example.org"]
    client = Client()
    form = client.get(link(letter.body), follow=True)
    client.post(form.request["PATH_INFO"], {"new_password1": PASSWORD, "new_password2": PASSWORD})
    assert User.objects.get(username="alice").check_password(PASSWORD)


def test_a_forged_host_does_not_reach_the_link(alice, settings, counting):
    settings.EMAIL_HOST = "mail.example.org"
    User.objects.filter(username="alice").update(email="alice@example.org")
    Client().post("/accounts/forgotten/", {"email": "alice@example.org"}, headers={"Host": "evil.example"})
    assert "evil.example" not in mail.outbox[0].body


@pytest.fixture
def second(alice) -> pyotp.TOTP:
    """Alice's authenticator, set up by the page."""
    page = alice.get("/settings/you/second-step/")
    made = pyotp.TOTP(page.context["secret"])
    answer = alice.post("/settings/you/second-step/", {"code": made.now()})
    assert len(answer.context["words"]) == 10
    made.words = answer.context["words"]
    TwoStep.objects.update(last_step=0)
    return made


def sign_in(code: str = "", name: str = "alice") -> bool:
    data = {"username": name, "password": "right-password", "code": code}
    return Client().post("/accounts/login/", data).status_code == 302


def test_a_second_step_is_asked_for_once_it_is_confirmed(alice, vera, second):
    assert not sign_in()
    assert not sign_in("000000")
    code = second.now()
    assert sign_in(code)
    assert not sign_in(code), "a code is taken once"
    assert sign_in(name="vera"), "who has none needs none"


def test_codes_of_the_intervals_beside_are_taken_and_older_ones_are_not(alice, second):
    now = int(timezone.now().timestamp())
    assert not sign_in(second.at(now - 3 * STEP_S))
    assert sign_in(second.at(now - STEP_S)) or sign_in(second.at(now))


def test_an_unconfirmed_second_step_locks_nobody_out(alice):
    alice.get("/settings/you/second-step/")
    assert alice.post("/settings/you/second-step/", {"code": "000000"}).status_code == 400
    assert sign_in()


def test_recovery_words_work_once(alice, second):
    assert sign_in(second.words[0])
    assert not sign_in(second.words[0])
    assert sign_in(second.words[1])


def test_with_another_encryption_key_words_are_taken_and_codes_are_not(alice, second, settings):
    settings.ENCRYPTION_KEY = "another"
    assert not sign_in(second.now())
    assert not sign_in()
    assert sign_in(second.words[0])


def test_a_second_step_that_was_begun_with_another_encryption_key_begins_anew(alice, settings):
    first = alice.get("/settings/you/second-step/").context["secret"]
    settings.ENCRYPTION_KEY = "another"
    alice.get("/settings/you/second-step/")
    secret = alice.get("/settings/you/second-step/").context["secret"]
    assert len(secret) == len(first)
    assert secret != first
    alice.post("/settings/you/second-step/", {"code": pyotp.TOTP(secret).now()})
    assert TwoStep.objects.get().is_confirmed


def test_its_secret_is_encrypted_and_shown_no_more(alice, second):
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM console_twostep")
        assert second.secret not in cursor.fetchone()[0]
    assert alice.get("/settings/you/second-step/").status_code == 302


def test_one_does_without_it_by_the_password_and_owners_help(alice, account, second):
    alice.post("/settings/you/second-step/remove/", {"password": "wrong"})
    assert TwoStep.objects.exists()
    otto = person(account, "otto", Member.Role.OWNER)
    otto.post(f"/settings/people/{Member.objects.get(user__username='alice').pk}/second-step/")
    assert sign_in()
    TwoStep.objects.create(user=User.objects.get(username="alice"), secret="A" * 32, is_confirmed=True)
    alice.post("/settings/you/second-step/remove/", {"password": "right-password"})
    assert sign_in()


def test_guesses_of_a_password_are_counted_on_pages_of_those_who_are_signed_in(alice, second, counting):
    for number in range(5):
        alice.post("/settings/you/second-step/remove/", {"password": f"guess-{number}"})
        new = {"old_password": f"guess-{number}", "new_password1": "another-word-2", "new_password2": "another-word-2"}
        assert alice.post("/accounts/password/", new).status_code == 200
    alice.post("/settings/you/second-step/remove/", {"password": "right-password"})
    assert TwoStep.objects.exists(), "ten were wrong"
    right = {"old_password": "right-password", "new_password1": "another-word-2", "new_password2": "another-word-2"}
    assert "Wait 15 minutes" in alice.post("/accounts/password/", right).text
    assert User.objects.get(username="alice").check_password("right-password")


def test_a_right_password_is_not_counted(alice, second, counting):
    for _ in range(11):
        alice.post("/settings/you/second-step/remove/", {"password": "right-password"})
    assert not TwoStep.objects.exists()
    assert "Wait" not in alice.post("/accounts/password/", {"old_password": "wrong"}).text


def test_guesses_of_the_second_step_are_counted(alice, second, counting):
    for _ in range(10):
        sign_in("000000")
    assert not sign_in(second.now())


def test_sign_ins_are_listed_and_ended(alice, settings):
    phone = Client(headers={"User-Agent": "Phone"})
    phone.post("/accounts/login/", {"username": "alice", "password": "right-password"})
    assert phone.get("/").status_code == 200
    page = alice.get("/settings/you/").text
    assert "Phone" in page
    assert "this one" in page
    alice.post(f"/settings/you/sign-ins/{SignIn.objects.get(browser='Phone').pk}/end/")
    assert phone.get("/").status_code == 302
    assert alice.get("/").status_code == 200
    phone.post("/accounts/login/", {"username": "alice", "password": "right-password"})
    phone.get("/")
    alice.post("/settings/you/sign-ins/0/end/")
    assert phone.get("/").status_code == 302
    assert alice.get("/").status_code == 200
    assert SignIn.objects.count() == 1


def test_nobody_ends_anothers_sign_in(alice, vera):
    vera.get("/")
    alice.post(f"/settings/you/sign-ins/{SignIn.objects.get(user__username='vera').pk}/end/")
    assert vera.get("/").status_code == 200


def test_everybody_makes_tokens_and_only_owners_make_keys(account, alice, vera):
    editor = person(account, "ed", Member.Role.EDITOR)
    for client, status in ((alice, 302), (editor, 403), (vera, 403)):
        assert client.post("/settings/access/make/", {"what": "token", "days": ""}).status_code == 302
        assert client.post("/settings/access/make/", {"what": "key", "days": ""}).status_code == status
    assert editor.post("/settings/access/key/1/revoke/").status_code == 403
