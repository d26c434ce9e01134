"""The admin-app command. Exit 0 done, 1 nothing written because of the data, 2 wrong use; --json: one document on stdout."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import click
from alembic import command as alembic
from alembic.config import Config
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from . import audit, auth, create_app
from .access import SYSTEM, Scope
from .assessment import results as rounds, workbooks
from .db import analyse, db, session_with, writing
from .models import Child, Role, Round, School, Setting, User
from .records import entering, importing
from .rules import Complaint
from .settings import Settings, Unusable, read
from .sheets.reader import Unreadable

HERE = Path(__file__).parent
DEMO_SCHOOLS = {"secretary": "2153990001", "secretary2": "2153990002", "principal": "2153990001"}
DEMO_NAMES = {
    "admin": "系统管理", "office": "普玉珍", "leader": "施正兴", "secretary": "方晓燕", "secretary2": "罗海燕", "principal": "白建国",
}  # fmt: skip


def say(text: str) -> None:
    click.echo(text, err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """农村留守儿童关爱保护工作平台."""


def plain_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """A complaint about the data ends with exit 1, an unusable setting with exit 2; never a stack trace."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (Complaint, Unreadable) as e:
            say(str(e))
            sys.exit(1)
        except Unusable as e:
            say(str(e))
            sys.exit(2)

    return wrapped


def settings_for(*, demo: bool) -> Settings:
    return read(demo=demo)


def ready_app(settings: Settings) -> Flask:
    """The app on a migrated database with the reference data; several starts at once wait for each other."""
    with _one_at_a_time(settings):
        migrate(settings)
        app = create_app(settings)
        with app.app_context():
            load_reference()
    return app


def running_app() -> Flask:
    """The app for a command on a database that is there already (the demo's, where only that exists)."""
    demo = "DATA_DIR" not in os.environ and "DATABASE_URL" not in os.environ and not Path("instance/data/register.sqlite3").exists()
    return ready_app(settings_for(demo=demo and Path("instance/demo").exists()))


@contextlib.contextmanager
def _one_at_a_time(settings: Settings) -> Iterator[None]:
    with (settings.data_dir / "start.lock").open("w") as lock:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        except ImportError:  # Windows: one office computer, one start
            pass
        yield


# --- the database ---


def migrations(settings: Settings) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE / "migrations"))
    config.set_main_option("sqlalchemy.url", settings.owner_url.replace("%", "%%"))
    return config


def migrate(settings: Settings) -> None:
    with contextlib.redirect_stdout(sys.stderr):
        alembic.upgrade(migrations(settings), "head")


@main.group("db")
def database() -> None:
    """The database's schema."""


@database.command()
@plain_errors
def upgrade() -> None:
    """Bring the schema to this version."""
    migrate(settings_for(demo=False))


@database.command()
@click.argument("revision", default="-1")
@plain_errors
def downgrade(revision: str) -> None:
    """Take the schema back one version."""
    alembic.downgrade(migrations(settings_for(demo=False)), revision)


@database.command()
@plain_errors
def check() -> None:
    """Is the schema what the models say, and the audit chain whole?"""
    settings = settings_for(demo=False)
    alembic.check(migrations(settings))
    with create_app(settings).app_context(), session_with(SYSTEM) as session:
        held, wrong = audit.verify(session)
    if wrong:
        raise Complaint(f"操作日志不完整：{wrong}（前 {held} 条完好）")
    click.echo(f"操作日志 {held} 条，完好")


def load_reference() -> None:
    from seed import load

    with session_with(SYSTEM, writes=True) as session:
        if load.load_reference(session):
            session.commit()


@main.command("load-demo")
@click.option("--from", "folder", type=click.Path(path_type=Path), default=None, help="A folder of CSV files (docs/demo-data.md).")
@plain_errors
def load_demo(folder: Path | None) -> None:
    """Load the demo county, or a folder like it, into an empty register."""
    settings = settings_for(demo="DATA_DIR" not in os.environ and "DATABASE_URL" not in os.environ)
    app = ready_app(settings)
    with app.app_context():
        _load_demo(folder)


def _load_demo(folder: Path | None) -> None:
    from seed import load

    loading = replace(SYSTEM, name="演示数据")
    with session_with(loading, writes=True) as session:
        if session.scalar(select(func.count(Child.id))):
            raise Complaint("已有儿童档案，不能再装入演示数据。")
        progress = _bar(len(load.ORDER) + len(load.ASSESSMENT), "装入演示数据")
        with progress as bar:
            counts = load.load_folder(session, folder or load.DEMO, lambda _name, _n: bar.update(1))
            session.commit()
    analyse()
    say("已装入：" + "，".join(f"{name} {n}" for name, n in counts.items() if n))


def _bar(length: int, label: str) -> Any:
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


# --- serving ---


@main.command()
@plain_errors
def demo() -> None:
    """Set up the demo county (first start only) and serve it."""
    settings = settings_for(demo=True)
    app = ready_app(settings)
    with app.app_context():
        password = _demo_accounts(settings)
    _serve(app, settings, password)


def _demo_accounts(settings: Settings) -> str:
    """The county and its accounts on the first start; the password each time."""
    kept = settings.data_dir / "demo_password"
    with session_with(SYSTEM) as session:
        new = session.scalar(select(Setting.id).where(Setting.key == "demo")) is None
        real = new and session.scalar(select(func.count(User.id)))
    if real:
        raise Unusable("这是正式数据库，不能装入演示数据。")
    password = settings.demo_password or (kept.read_text().strip() if kept.exists() else secrets.token_urlsafe(9))
    if new:
        say("首次启动：正在装入演示县，约半分钟…")
        _load_demo(None)
    with writing(SYSTEM) as session:
        for name, words in DEMO_NAMES.items():
            role = Role(name.rstrip("2"))
            user = session.scalar(select(User).where(User.username == name))
            if user is None:
                school = session.scalar(select(School).where(School.code == DEMO_SCHOOLS.get(name, "")))
                auth.create_user(session, name, words, [role], school, password, must_change=False)
            elif settings.demo_password:
                auth.set_password(user, password)
    kept.write_text(password)
    kept.chmod(0o600)
    return password


@main.command()
@click.option("--demo", "allow_demo", is_flag=True, help="Serve a demo database too.")
@plain_errors
def serve(allow_demo: bool) -> None:
    """Serve a real office's register."""
    settings = settings_for(demo=False)
    app = ready_app(settings)
    with app.app_context(), session_with(SYSTEM) as session:
        is_demo = session.scalar(select(Setting.id).where(Setting.key == "demo")) is not None
        accounts = session.scalar(select(func.count(User.id)))
    if is_demo and not allow_demo:
        raise Unusable("这是演示数据库。请换一个 DATA_DIR，或加 --demo。")
    if is_demo:
        settings = replace(settings, demo=True)
        app.config["SETTINGS"] = settings
    if not accounts:
        say("还没有账号。另开一个窗口运行：python3 manage.py create-user 账号 --role admin --password-stdin")
    _serve(app, settings, "")


def _serve(app: Flask, settings: Settings, password: str) -> None:
    import waitress

    if not settings.rate_limits:
        say("注意：RATE_LIMITS=off，登录次数不受限制，只能用于测试。")
    address = f"http://{settings.host}:{settings.port}"
    server = waitress.create_server(app, host=settings.host, port=settings.port, threads=6, ident=None, **behind(settings))
    click.echo(f"请在浏览器打开 {address}")
    if password:
        click.echo(f"演示账号（密码均为 {password}）：")
        for name, words in DEMO_NAMES.items():
            school = f"，学校 {DEMO_SCHOOLS[name]}" if name in DEMO_SCHOOLS else ""
            click.echo(f"  {name:<11}{Role(name.rstrip('2')).label}（{words}）{school}")
    sys.stdout.flush()
    calm_collector()
    server.run()


def behind(settings: Settings) -> dict[str, Any]:
    """What the server takes from its proxy: who asked and by which scheme, from the last hop alone and from no other sender."""
    if not settings.trusted_proxy:
        return {}
    return {
        "trusted_proxy": settings.trusted_proxy,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
    }


def calm_collector() -> None:
    """What was loaded at the start stays, and a score makes a hundred thousand small rows without one cycle among them:
    Python's collector would walk all of it again and again, a quarter of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


# --- accounts ---


@main.command("create-user")
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([r.value for r in Role]))
@click.option("--school", "school_code", help="Code of the school, for school roles.")
@click.option("--password-stdin", is_flag=True, help="Read the first password from standard input.")
@click.option("--no-change", is_flag=True, help="Do not ask for a new password at the first login.")
@plain_errors
def create_user(name: str, roles: tuple[str, ...], school_code: str | None, password_stdin: bool, no_change: bool) -> None:
    """Make an account; without --password-stdin a random first password is printed."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else auth.first_password()
    app = running_app()
    with app.app_context(), writing(SYSTEM) as session:
        auth.check_password(password, name)
        auth.create_user(
            session, name, name, [Role(r) for r in roles], _school(session, school_code), password, must_change=not no_change
        )
    click.echo(f"账号 {name} 已建立" + ("" if password_stdin else f"，初始密码 {password}"))


def _school(session: Session, code: str | None) -> School | None:
    if not code:
        return None
    school = session.scalar(select(School).where(School.code == code))
    if school is None:
        raise Complaint(f"没有标识码为 {code} 的学校。")
    return school


# --- ledgers and scores ---


@main.command("import-ledger")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--school", "school_code", help="Code of the school; without it the column 学校 decides.")
@click.option("--dry-run", is_flag=True, help="Check only; write nothing.")
@click.option("--json", "as_json", is_flag=True)
@plain_errors
def import_ledger(file: Path, school_code: str | None, dry_run: bool, as_json: bool) -> None:
    """Read a ledger (台账) into the register: all rows or none."""
    content = file.read_bytes()
    app = running_app()
    scope = Scope(name="命令行", roles=frozenset({Role.OFFICE}))
    with app.app_context(), session_with(scope, writes=not dry_run) as session:
        school = _school(session, school_code)
        sheets = importing.read_ledger(content, file.name, importing.own_names(session, school.id if school else None))
        if school is None and not importing.names_schools(sheets):
            raise click.UsageError("请用 --school 指定学校，或在表中加“学校”一列。")
        plan = importing.check_rows(session, session_with, sheets, school, importing.default_start(session))
        written = False
        if not dry_run and not plan.blocked and plan.changes:
            entering.save(session, plan, file.name)
            session.commit()
            written = True
    _print_import(plan, as_json, written=written, dry_run=dry_run)
    if not dry_run and plan.blocked:
        sys.exit(1)


def _print_import(plan: importing.Plan, as_json: bool, *, written: bool, dry_run: bool) -> None:
    if as_json:
        click.echo(json.dumps(plan.as_json(), ensure_ascii=False))
        return
    click.echo("，".join(f"{words} {plan.counts[status]}" for status, words in importing.STATUS_WORDS.items()))
    for row in plan.rows:
        for problem in row.problems:
            click.echo(f"{row.sheet} 第 {row.number} 行 {problem.cell}：{problem.text}")
    click.echo(
        "已写入。" if written else "试运行，未写入。" if dry_run else "未写入：请先改正上面各行。" if plan.blocked else "没有变化。"
    )


@main.command()
@click.option("--round", "code", required=True)
@click.option("--school", "school_code")
@click.option("--json", "as_json", is_flag=True)
@plain_errors
def score(code: str, school_code: str | None, as_json: bool) -> None:
    """Compute a round (or read a frozen one)."""
    app = running_app()
    with app.app_context(), session_with(SYSTEM) as session:
        round_ = _round(session, code)
        cards = rounds.score(session, round_, lines=False).cards
        school = _school(session, school_code)
        if school:
            cards = [card for card in cards if card.school_id == school.id]
        answer = rounds.as_json(round_, cards)
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    for row in answer["schools"]:
        click.echo(f"{row['group']}\t{row['rank'] or '—'}\t{row['name']}\t{row['total'] or '待评'}\t{row['grade'] or ''}")


@main.command("export-scores")
@click.option("--round", "code", required=True)
@click.option("--school", "school_code")
@click.option("--out", type=click.Path(path_type=Path), required=True)
@plain_errors
def export_scores(code: str, school_code: str | None, out: Path) -> None:
    """Write the county summary, or one school's score sheet, as xlsx."""
    app = running_app()
    with app.app_context(), session_with(SYSTEM) as session:
        round_ = _round(session, code)
        results = rounds.score(session, round_)
        school = _school(session, school_code)
        book = workbooks.Book.of(session, round_, results, who="命令行")
        content = workbooks.school_sheet(book, school.id) if school else workbooks.summary(book)
    out.write_bytes(content)
    say(f"已写出 {out}")


def _round(session: Session, code: str) -> Round:
    round_ = session.scalar(select(Round).where(Round.code == code))
    if round_ is None:
        raise Complaint(f"没有 {code} 年度的考核轮次。")
    return round_


__all__ = ["db", "main"]
