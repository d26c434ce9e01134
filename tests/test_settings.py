"""Settings: read once, and a half-configured product refuses to start."""

from __future__ import annotations

import datetime as dt
import stat

import pytest

from admin_app import create_app, settings
from admin_app.orm import keyring


@pytest.fixture(autouse=True)
def the_same_keys_afterwards():
    """An app of its own unlocks the process's keyring with its own key."""
    held = dict(vars(keyring))
    yield
    vars(keyring).update(held)


def env(tmp_path, **more):
    return {"DATA_DIR": str(tmp_path)} | more


def test_keys_are_made_once_and_readable_by_their_owner_only(tmp_path):
    first, second = settings.read(env(tmp_path)), settings.read(env(tmp_path))
    assert (first.secret_key, first.field_key) == (second.secret_key, second.field_key)
    for name in ("secret_key", "field_key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_session_ends_after_thirty_idle_minutes_and_after_twelve_hours(tmp_path):
    app = create_app(settings.read(env(tmp_path)))
    assert (app.config["IDLE"], app.config["LONGEST"]) == (dt.timedelta(minutes=30), dt.timedelta(hours=12))


@pytest.mark.parametrize(
    "wrong",
    [{"PORT": "x"}, {"SECRET_KEY": "short"}, {"HOST": "0.0.0.0"}, {"DATA_DIR": "/proc/nowhere"}],
    ids=["port", "secret", "plain http to the world", "folder"],
)
def test_a_setting_that_cannot_be_used_is_said(wrong, tmp_path):
    with pytest.raises(settings.Unusable):
        settings.read(env(tmp_path) | wrong)


@pytest.mark.parametrize(
    ("given", "url"),
    [("postgresql://u@h/d", "postgresql+psycopg://u@h/d"), ("postgres://u@h/d", "postgresql+psycopg://u@h/d")],
)
def test_a_postgresql_address_is_taken_as_people_write_it(given, url, tmp_path):
    assert settings.read(env(tmp_path, DATABASE_URL=given)).database_url == url


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("more", "name", "secure"),
    [
        ({}, "session", False),
        ({"HOST": "0.0.0.0", "ALLOW_HTTP": "1"}, "session", False),
        ({"HOST": "0.0.0.0", "BEHIND_TLS": "1"}, "__Host-session", True),
    ],
    ids=["loopback", "plain http asked for", "behind tls"],
)
def test_cookies_are_secure_wherever_the_network_begins(more, name, secure, tmp_path):
    app = create_app(settings.read(env(tmp_path, **more)))
    assert (app.config["SESSION_COOKIE_NAME"], app.config["SESSION_COOKIE_SECURE"]) == (name, secure)


def test_a_proxys_name_is_trusted_when_it_is_said(tmp_path):
    app = create_app(settings.read(env(tmp_path, TRUSTED_HOSTS="liushou.example")))
    assert app.test_client().get("/healthz", headers={"Host": "liushou.example"}).status_code == 200
    assert app.test_client().get("/healthz", headers={"Host": "other.example"}).status_code == 400
