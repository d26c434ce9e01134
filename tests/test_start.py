"""A server whose configuration is wrong does not start, touches no database, and says every reason in a sentence."""

from __future__ import annotations

import shutil
from collections import namedtuple

import pytest
import time_machine
from click.testing import CliRunner

from admin_app import selfcheck
from admin_app.commands import main
from admin_app.settings import Unusable, read
from tests.test_settings import the_same_keys_afterwards  # noqa: F401

OFFERED = {"HOST": "0.0.0.0", "TRUSTED_HOSTS": "liushou.example", "BEHIND_TLS": "1", "TRUSTED_PROXY": "10.0.0.1"}
BEHIND = {"TRUSTED_HOSTS": "liushou.example", "BEHIND_TLS": "1", "TRUSTED_PROXY": "127.0.0.1"}


@pytest.fixture
def folder(tmp_path):
    """A data folder with its keys."""
    read({"DATA_DIR": str(tmp_path)})
    return tmp_path


def begin(folder, env):
    return selfcheck.before_start(read({"DATA_DIR": str(folder)} | env), {"DATA_DIR": str(folder)} | env)


def open_key(folder):
    (folder / "field_key").chmod(0o644)


def short_secret(folder):
    (folder / "secret_key").write_text("ab" * 8)


def short_key(folder):
    (folder / "field_key").write_text("ab" * 8)


REFUSED = {
    "to the world under any name": (OFFERED | {"TRUSTED_HOSTS": ""}, None, "须用 TRUSTED_HOSTS 写上"),
    "plain http to the world": (OFFERED | {"BEHIND_TLS": ""}, None, "ALLOW_HTTP=1"),
    "plain http to the world under any name": ({"HOST": "0.0.0.0", "ALLOW_HTTP": "1"}, None, "须用 TRUSTED_HOSTS 写上"),
    "a proxy, and cookies that need no https": ({"TRUSTED_HOSTS": "liushou.example"}, None, "设 BEHIND_TLS=1"),
    "an address for a name": (BEHIND | {"TRUSTED_HOSTS": "https://liushou.example/"}, None, "不带 http://"),
    "debug": ({"FLASK_DEBUG": "1"}, None, "FLASK_DEBUG 开着"),
    "a key all can read": ({}, open_key, "chmod 600"),
    "half a key": ({}, short_key, "不是一把完整的钥匙"),
    "half a secret": ({}, short_secret, "至少 32 个字符"),
    "a short secret": ({"SECRET_KEY": "short"}, None, "至少 32 个字符"),
    "no number": ({"PORT": "http"}, None, "PORT 应为"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_configuration_does_not_start(case, folder):
    env, spoil, words = REFUSED[case]
    if spoil:
        spoil(folder)
    with pytest.raises(Unusable, match=words):
        begin(folder, env)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, []),
        (OFFERED, []),
        (BEHIND, []),
        (BEHIND | {"TRUSTED_PROXY": ""}, ["代理"]),
        ({"HOST": "0.0.0.0", "TRUSTED_HOSTS": "10.0.0.5", "ALLOW_HTTP": "1"}, ["网络"]),
        ({"RATE_LIMITS": "off"}, ["登录次数"]),
    ],
    ids=["this machine", "to the world", "behind a proxy", "nobody's word", "plain http asked for", "no limits asked for"],
)
def test_what_is_sound_or_was_asked_for_starts_and_is_said(env, said, folder):
    assert [each.what for each in begin(folder, env)] == said


def test_a_disk_that_is_nearly_full_is_said_and_reading_goes_on(folder, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(1 << 40, 1 << 40, 1 << 20))
    assert [each.what for each in begin(folder, {})] == ["磁盘"]


@pytest.mark.parametrize(("now", "starts"), [("2010-01-01", False), ("2025-08-31", False), ("2025-09-02", True)])
def test_a_clock_that_lost_its_battery_does_not_start(now, starts, folder):
    with time_machine.travel(f"{now}T12:00:00+08:00"):
        if starts:
            begin(folder, {})
            return
        with pytest.raises(Unusable, match=f"时钟是 {now}"):
            begin(folder, {})


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_the_command_ends_with_every_reason_before_it_touches_a_database(command, folder, monkeypatch):
    open_key(folder)
    env = {"DATA_DIR": str(folder), "HOST": "0.0.0.0", "BEHIND_TLS": "1", "FLASK_DEBUG": "1", "DATABASE_URL": ""}
    done = CliRunner().invoke(main, [command], env=env)
    assert done.exit_code == 2
    assert [line.partition("：")[0] for line in done.stderr.splitlines()] == ["没有启动", "field_key", "网址", "调试"]
    assert {path.name for path in folder.iterdir()} == {"field_key", "secret_key"}
