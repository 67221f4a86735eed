"""`make release`: a tag that is signed and holds the notes of its version, or a sentence that says what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTES = "# Changelog\n\n## Unreleased\n\n- Soon.\n\n## 0.2.0\n\n### Added\n- Wings.\n\n## 0.1.0\n\n- Feet.\n"


@pytest.fixture
def repository(tmp_path) -> Path:
    """A repository at version 0.2.0, whose owner signs with an SSH key."""
    folder = tmp_path / "repository"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n')
    (folder / "CHANGELOG.md").write_text(NOTES)
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (tmp_path / "signers").write_text(f"a@example.com {key.with_suffix('.pub').read_text()}")
    git(folder, "init", "--quiet")
    for name, value in {
        "user.name": "a", "user.email": "a@example.com", "gpg.format": "ssh", "user.signingKey": str(key),
        "gpg.ssh.allowedSignersFile": str(tmp_path / "signers"),
    }.items():  # fmt: skip
        git(folder, "config", name, value)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def release(folder: Path, version: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "release", f"VERSION={version}"], cwd=folder, env=plain, capture_output=True, text=True, check=False
    )


def test_the_tag_is_signed_and_holds_the_versions_notes(repository):
    assert release(repository, "0.2.0").returncode == 0
    assert "Good" in git(repository, "tag", "--verify", "v0.2.0")
    told = git(repository, "tag", "--list", "--format=%(contents:subject)|%(contents:body)", "v0.2.0")
    assert told.strip() == "OpenPersonalize 0.2.0|### Added\n- Wings."


@pytest.mark.parametrize(
    ("version", "before", "said"),
    [
        ("0.3.0", None, "pyproject.toml does not have the version '0.3.0'."),
        ("", None, "pyproject.toml does not have the version ''."),
        ("0.2.0", "# Changelog\n\n## 0.1.0\n\n- Feet.\n", "Commit what has changed first."),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_tagged(repository, version, before, said):
    if before:
        (repository / "CHANGELOG.md").write_text(before)
    done = release(repository, version)
    assert done.returncode
    assert said in done.stderr
    assert git(repository, "tag", "--list") == ""


def test_a_version_without_notes_is_not_tagged(repository):
    (repository / "CHANGELOG.md").write_text("# Changelog\n\n## 0.1.0\n\n- Feet.\n")
    git(repository, "commit", "--quiet", "--all", "--message", "Forget")
    assert "CHANGELOG.md has no part '0.2.0'." in release(repository, "0.2.0").stderr
    assert git(repository, "tag", "--list") == ""
