"""The schema of a database: brought to this version in one transaction, after a backup, or left as it is."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from alembic import command as alembic
from alembic.config import Config
from alembic.util import CommandError

from . import backups, row_security
from .db import known_revisions
from .locks import standing_still
from .orm import keyring
from .rules import Complaint
from .settings import Settings, Unusable

KEPT_SCHEMAS = 5
"""Backups made before the schema changed that stay: a start that fails again and again must not fill the disk."""


def migrate(settings: Settings, *, backed_up: bool = False) -> None:
    """Bring the schema to this version; what an older version left is backed up first.

    :param backed_up: somebody has seen to the backup.
    :raises Unusable: when a newer version made the database, or a service runs on the older schema.
    :raises Complaint: when the backup or a migration fails. The database is as it was, either way.
    """
    keyring.unlock(settings.field_key)  # a migration may read numbers
    at, newest = _schema(settings), known_revisions()[0]
    if at in (None, newest):
        build(settings.owner_url)
    else:
        with standing_still(settings):
            if not backed_up:
                _back_up(settings, str(at), "db upgrade")
            build(settings.owner_url)
        click.echo(f"数据库结构已从 {at} 升级到 {newest}", err=True)
    with backups.told("数据库的第二道防线没有建好"):
        row_security.build(settings.owner_url, settings.database_url)


def lower(settings: Settings, revision: str, *, backed_up: bool = False) -> None:
    """Take the schema back to an older revision ("-1": the one before), after a backup.

    :raises Unusable: when it is none, or a service runs.
    :raises Complaint: when the backup or a migration fails. The database is as it was, either way.
    """
    keyring.unlock(settings.field_key)
    with standing_still(settings):
        at = _schema(settings)
        target = _below(at, revision)
        if at and not backed_up:
            _back_up(settings, at, "db downgrade")
        with _whole_or_not("数据库没有退回"):
            alembic.downgrade(alembic_config(settings.owner_url), target)


def compare(settings: Settings) -> None:
    """:raises Complaint: when the schema is not what the models say."""
    at, newest = _schema(settings), known_revisions()[0]
    if at != newest:
        raise Complaint(f"数据库结构是 {at or '空的'}，本版是 {newest}：请运行 db upgrade。")
    try:
        alembic.check(alembic_config(settings.owner_url))
    except CommandError as e:
        raise Complaint(f"数据库结构与程序不符：{e}") from None


def build(url: str) -> None:
    """Bring the schema of a database to this version, in one transaction.

    :raises Complaint: when a migration fails.
    """
    with _whole_or_not("数据库没有升级"), contextlib.redirect_stdout(sys.stderr):
        alembic.upgrade(alembic_config(url), "head")


def _schema(settings: Settings) -> str | None:
    """The database's revision; None where it is empty.

    :raises Unusable: when this version does not know it.
    """
    at, known = backups.revision_at(settings.owner_url), known_revisions()
    if at not in (None, *known):
        raise Unusable(f"数据库是更新的版本建的：结构是 {at}，本版只认识到 {known[0]}。什么都没有改，请用新版程序。")
    return at


def _back_up(settings: Settings, schema: str, before: str) -> None:
    """A backup of a schema that is about to change. ``before``: the command that changes it.

    :raises Complaint: when there is none; says how to go on without.
    """
    click.echo(f"数据库结构 {schema} 将要改动，先备份…", err=True)
    try:
        made = backups.make(settings, settings.backups, None, schema)
        backups.retain(settings.backups, KEPT_SCHEMAS, made.path)
    except Complaint as e:
        without = f"实在不能备份的，自己另存好数据，再用 {before} --no-backup。"
        raise Complaint(f"数据库没有改动，因为先要备份，而备份没有做成。{e}{without}") from None
    click.echo(f"已备份 {made.path}", err=True)


@contextlib.contextmanager
def _whole_or_not(what: str) -> Iterator[None]:
    """A change of the schema is one transaction: whatever stops it is said in a sentence, and nothing has changed.

    :raises Complaint: ``what`` and why.
    """
    what += "，还是原来的样子"
    try:
        with backups.told(what):
            yield
    except Complaint:
        raise
    except Exception as e:
        raise Complaint(f"{what}：程序出错（{type(e).__name__}），请告诉开发人员。") from e


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def _below(at: str | None, wanted: str) -> str:
    """The older revision that is meant.

    :raises Unusable: when it is none.
    """
    known = known_revisions()
    older = [*known[known.index(at) + 1 :], "base"] if at else []
    target = wanted if wanted != "-1" or not older else older[0]
    if target not in older:
        raise Unusable(f"数据库结构是 {at or '空的'}，不能退到 {wanted}。可以退到的：{'、'.join(older) or '没有'}。")
    return target
