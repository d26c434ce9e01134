"""The admin-app command. Exit 0 done, 1 nothing written because of the data, 2 wrong use; --json: one document on stdout."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from . import (
    access,
    accounts,
    anchors,
    audit,
    backups,
    chunks,
    create_app,
    keys,
    labels,
    locks,
    passwords,
    postgres_programs,
    selfcheck,
    serving,
    tries,
    upgrading,
)
from .access import SYSTEM, Scope
from .assessment import results as rounds, workbooks
from .db import analyse, db, session_with, writing
from .models import Child, Role, Round, School, Setting, User
from .orm import utcnow
from .records import attachments, county, entering, expiry, importing, informing, inventory
from .rules import Complaint
from .settings import Settings, Unusable, data_folder, postgres_url, read
from .sheets.reader import Unreadable

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
    with locks.starting(settings):
        upgrading.migrate(settings)
        _stay(settings.data_dir)
        app = create_app(settings)
        with app.app_context():
            load_reference()
            with writing(SYSTEM) as session:
                keys.prove(session.connection())
    return app


def running_app() -> Flask:
    """The app for a command on a database that is there already (the demo's, where only that exists)."""
    return ready_app(settings_for(demo=only_demo()))


def only_demo() -> bool:
    """Nothing names a database, and only the demo's is there."""
    named = "DATA_DIR" in os.environ or "DATABASE_URL" in os.environ
    return not named and not Path("instance/data/register.sqlite3").exists() and Path("instance/demo").exists()


def _stay(data_dir: Path) -> None:
    """Let nobody change the key or the schema until this command ends: all that read or write what is sealed.

    :raises Unusable: while somebody changes them.
    """
    command = click.get_current_context(silent=True)
    if command is not None:  # else a test or a measurement, alone with its data
        command.with_resource(locks.at_work(data_dir))


# --- the database ---


_no_backup = click.option("--no-backup", "backed_up", is_flag=True, help="You have a copy already, or there is no room for one.")


@main.group("db")
def database() -> None:
    """The database's schema."""


@database.command()
@_no_backup
@plain_errors
def upgrade(backed_up: bool) -> None:
    """Bring the schema to this version, after a backup."""
    settings = settings_for(demo=only_demo())
    with locks.starting(settings):
        upgrading.migrate(settings, backed_up=backed_up)


@database.command()
@click.argument("revision", default="-1")
@_no_backup
@plain_errors
def downgrade(revision: str, backed_up: bool) -> None:
    """Take the schema back one version, or to REVISION, after a backup: what only the newer schema holds is lost."""
    settings = settings_for(demo=only_demo())
    with locks.starting(settings):
        upgrading.lower(settings, revision, backed_up=backed_up)


@database.command()
@plain_errors
def check() -> None:
    """Is the schema what the models say, and the audit chain whole?"""
    settings = settings_for(demo=only_demo())
    upgrading.compare(settings)
    with create_app(settings).app_context(), session_with(SYSTEM) as session:
        held, wrong = audit.verify(session)
        misfit = anchors.first_misfit(session, settings.anchors)
    if wrong or misfit:
        raise Complaint(f"操作日志不完整：{wrong or misfit}（前 {held} 条完好）")
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
    _tell(selfcheck.before_start(settings, os.environ))
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
                accounts.create(session, name, words, [role], school, password, must_change=False)
            else:
                user.opened_at = utcnow()  # a demo that lay for months is no closed account
                if settings.demo_password:
                    accounts.set_password(user, password)
    kept.write_text(password)
    kept.chmod(0o600)
    return password


@main.command()
@click.option("--demo", "allow_demo", is_flag=True, help="Serve a demo database too.")
@plain_errors
def serve(allow_demo: bool) -> None:
    """Serve a real office's register."""
    settings = settings_for(demo=False)
    _tell(selfcheck.before_start(settings, os.environ))
    app = ready_app(settings)
    with app.app_context(), session_with(SYSTEM) as session:
        is_demo = session.scalar(select(Setting.id).where(Setting.key == "demo")) is not None
        accounts = session.scalar(select(func.count(User.id)))
        _tell(selfcheck.before_serving(settings, session))
    if is_demo and not allow_demo:
        raise Unusable("这是演示数据库。请换一个 DATA_DIR，或加 --demo。")
    if is_demo:
        settings = replace(settings, demo=True)
        app.config["SETTINGS"] = settings
    if not accounts:
        say("还没有账号。另开一个窗口运行：python3 manage.py create-user 账号 --role admin --password-stdin")
    _serve(app, settings, "")


def _tell(found: list[selfcheck.Finding]) -> None:
    for each in found:
        say(f"注意：{each.what}：{each.text}")


def _serve(app: Flask, settings: Settings, password: str) -> None:
    sockets = serving.listen(app, settings)
    with app.app_context(), writing(SYSTEM) as session:
        expiry.forget_old(session, attachments.folder_of(settings.data_dir))
    anchors.add_daily(app, settings.anchors, say)
    click.echo(f"请在浏览器打开 http://{settings.host}:{settings.port}")
    if password:
        click.echo(f"演示账号（密码均为 {password}）：")
        for name, words in DEMO_NAMES.items():
            school = f"，学校 {DEMO_SCHOOLS[name]}" if name in DEMO_SCHOOLS else ""
            click.echo(f"  {name:<11}{Role(name.rstrip('2')).label}（{words}）{school}")
    sys.stdout.flush()
    if left := serving.answer(settings, sockets):
        say(f"停止：还有 {left} 个请求没有做完，没有保存。")


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
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else accounts.first_password()
    app = running_app()
    with app.app_context(), writing(SYSTEM) as session:
        school = _school(session, school_code)
        passwords.check(password, *accounts.known_by(name, name, school))
        accounts.create(session, name, name, [Role(r) for r in roles], school, password, must_change=not no_change)
    click.echo(f"账号 {name} 已建立" + ("" if password_stdin else f"，初始密码 {password}"))


@main.command()
@click.argument("name")
@plain_errors
def unlock(name: str) -> None:
    """Let an account that was locked after wrong passwords try again at once."""
    with running_app().app_context(), writing(SYSTEM) as session:
        forgiven = tries.unlock(session, _account(session, name))
    click.echo(f"账号 {name} 已解除锁定" if forgiven else f"账号 {name} 没有锁定")


@main.command("remove-totp")
@click.argument("name")
@plain_errors
def remove_totp(name: str) -> None:
    """Ask an account for no more one-time codes: for the only administrator, whose phone is lost."""
    with running_app().app_context(), writing(SYSTEM) as session:
        accounts.remove_codes(session, _account(session, name))
    click.echo(f"已移除账号 {name} 的动态口令")


def _account(session: Session, name: str) -> User:
    user = session.scalar(select(User).where(User.username == name))
    if user is None:
        raise Complaint(f"没有账号 {name}。")
    return user


def _school(session: Session, code: str | None) -> School | None:
    if not code:
        return None
    school = session.scalar(select(School).where(School.code == code))
    if school is None:
        raise Complaint(f"没有标识码为 {code} 的学校。")
    return school


# --- ledgers and scores ---


@main.command()
@click.option("--json", "as_json", is_flag=True)
@plain_errors
def permissions(as_json: bool) -> None:
    """Print who may do what: role, resource, actions, field groups."""
    rows = access.permissions()
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        role = Role(row["role"]).label
        acts = "、".join(labels.ACTIONS[action] for action in row["actions"].split())
        click.echo(f"{role}	{labels.RESOURCES[row['resource']]}	{acts}	{row['groups']}")


@main.command("inventory")
@click.option("--json", "as_json", is_flag=True)
@plain_errors
def list_inventory(as_json: bool) -> None:
    """Print every column that holds something of a person: class, ground, readers, how long it is kept."""
    with running_app().app_context(), session_with(SYSTEM) as session:
        years, days = county.number(session, "retention_years"), county.number(session, "trash_days")
    found = [line.as_json(years, days) for line in inventory.lines()]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for line in found:
        click.echo("\t".join(line.values()))


@main.command("import-ledger")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--school", "school_code", help="Code of the school; without it the column 学校 decides.")
@click.option("--informed-on", default="", help="Day on which the guardians of new children under 14 signed the notice (告知书).")
@click.option(
    "--ground",
    type=click.Choice([*(g.value for g in informing.GROUNDS), informing.LATER]),
    help="What they signed; later: nothing yet.",
)
@click.option("--dry-run", is_flag=True, help="Check only; write nothing.")
@click.option("--json", "as_json", is_flag=True)
@plain_errors
def import_ledger(file: Path, school_code: str | None, informed_on: str, ground: str | None, dry_run: bool, as_json: bool) -> None:
    """Read a ledger (台账) into the register: all rows or none."""
    content = file.read_bytes()
    app = running_app()
    scope = Scope(name="命令行", roles=frozenset({Role.OFFICE}))
    with app.app_context(), session_with(scope, writes=not dry_run) as session:
        school = _school(session, school_code)
        sheets = importing.read_ledger(content, file.name, importing.own_names(session, school.id if school else None))
        if school is None and not importing.names_schools(sheets):
            raise click.UsageError("请用 --school 指定学校，或在表中加“学校”一列。")
        plan = importing.check_rows(
            session, partial(access.known_elsewhere, session_with, scope), sheets, school, importing.default_start(session)
        )
        written = False
        if not dry_run and not plan.blocked and plan.changes:
            if plan.untold and ground is None:
                raise click.UsageError(
                    "有不满 14 周岁的新增儿童：请用 --ground 说明监护人签收了什么，还没签收的用 --ground later。"
                )
            plan.tell({"informed_on": informed_on, "informed_version": informing.NOTICE, "consent": ground or ""})
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


# --- backups and the state of the installation ---


@main.command("rotate-key")
@plain_errors
def rotate_key() -> None:
    """Seal every number and file with a new field key. The service must stand still; interrupted, it goes on where it was."""
    settings = read(demo=only_demo(), rotating=True)
    upgrading.migrate(settings)
    with locks.standing_still(settings):
        key_id = keys.rotate(settings, lambda name, count: count and say(f"{name}：{count}"))
        with create_app(read(demo=only_demo())).app_context(), writing(SYSTEM) as session:
            audit.note(session, "rotate", "audit_key", "", None, 钥匙编号=key_id)
    click.echo(f"钥匙已更换，编号 {key_id}。请把新的 field_key 抄存到保管处。")
    click.echo(f"旧钥匙在 {settings.data_dir / 'field_key.old'}：以前的备份还要用它，请移到保管处，不要留在这台机器上。")
    click.echo("以前导出、还没有传回的离线台账，请重新导出。")


_passphrase = click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with a passphrase, used instead of the field key.",
)
_key_file = click.option(
    "--key-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The field_key kept apart from the backup."
)
_backup_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@main.command()
@click.option(
    "--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Default: BACKUP_DIR, or backups beside the data."
)
@click.option("--keep", type=click.IntRange(min=1), default=14, show_default=True, help="How many backups stay in the folder.")
@_passphrase
@plain_errors
def backup(folder: Path | None, keep: int, passphrase_file: Path | None) -> None:
    """Write one encrypted file with the database and the attachments, while the server runs."""
    phrase = _phrase(passphrase_file)
    demo = only_demo()
    wrong = [each.text for each in selfcheck.keys(os.environ, data_folder(os.environ, demo=demo)) if each.missing]
    if wrong:
        raise Unusable("没有备份：" + "；".join(wrong))
    _stay(data_folder(os.environ, demo=demo))
    settings = settings_for(demo=demo)
    folder = (folder or settings.backups).resolve()
    app = create_app(settings)  # not migrated: a backup comes before the new version's migration
    made = backups.make(settings, folder, phrase)
    head = made.manifest["audit"]
    late = f"备份 {made.path} 已做成，但没能记入操作日志，旧备份也没有清理"
    with backups.told(late), app.app_context(), writing(SYSTEM) as session:
        audit.note(session, "backup", "audit_head", "", None, 文件=made.path.name, 大小=made.size, 日志序号=head["seq"])
    gone = backups.retain(folder, keep, made.path)
    click.echo(f"已备份 {made.path}（{made.size:,} 字节，附件 {made.manifest['attachments']} 份）")
    click.echo(f"操作日志到第 {head['seq']} 条，校验码 {head['mac']}：请抄在服务器以外，以后核对日志有没有被删。")
    if made.manifest["missing"]:
        say(f"注意：有 {made.manifest['missing']} 份附件登记了但没有文件，请运行 check。")
    if gone:
        click.echo(f"只留最近 {keep} 份，已删除 {len(gone)} 份旧的。")
    with app.app_context(), session_with(SYSTEM) as session:
        anchors.add(session, settings.anchors)


@main.command("verify-backup")
@_backup_file
@_passphrase
@_key_file
@plain_errors
def verify_backup(file: Path, passphrase_file: Path | None, key_file: Path | None) -> None:
    """Restore a backup into a scratch place, check everything, and clear it away again."""
    home = data_folder(os.environ, demo=only_demo())
    keys = _keys(passphrase_file, key_file, home)
    with tempfile.TemporaryDirectory(prefix="register-") as scratch:
        unpacked = backups.unpack(file, keys, Path(scratch))
        click.echo(f"文件完整：{unpacked.manifest['made_at']} 的备份，程序 {unpacked.manifest['product']}")
        with _restored(unpacked) as url:
            for line in backups.examine(unpacked, url, keys, upgrading.build) if url else ["数据库里的内容没有核对"]:
                click.echo(line)
    head = unpacked.manifest["audit"]
    click.echo(f"备份可用。操作日志到第 {head['seq']} 条，校验码 {head['mac']}")


@contextlib.contextmanager
def _restored(unpacked: backups.Unpacked) -> Iterator[str]:
    """The address of the restored database; blank where there is no PostgreSQL to restore into."""
    if unpacked.manifest["database"] == "sqlite":
        click.echo(backups.check_sqlite(unpacked.database))
        yield f"sqlite:///{unpacked.database}"
        return
    server = postgres_url(os.environ.get("DATABASE_OWNER_URL") or os.environ.get("DATABASE_URL", ""))
    with contextlib.ExitStack() as stack:
        try:
            if not server.startswith("postgresql"):
                raise Complaint("请设 DATABASE_URL")
            url = stack.enter_context(postgres_programs.scratch_database(server))
        except Complaint as e:
            say(f"没有可以试恢复的 PostgreSQL：{e}")
            url = ""
        if url:
            postgres_programs.restore(unpacked.database, url)
        yield url


@main.command()
@_backup_file
@click.option(
    "--to", "folder", type=click.Path(path_type=Path), required=True, help="An empty folder, or one that is not there yet."
)
@_passphrase
@_key_file
@click.option("--database-url", default="", help="An empty PostgreSQL database, for a PostgreSQL backup.")
@plain_errors
def restore(file: Path, folder: Path, passphrase_file: Path | None, key_file: Path | None, database_url: str) -> None:
    """Put database and attachments back, checked; the keys are yours to put beside them."""
    folder = folder.resolve()
    backups.refuse_filled(folder)
    keys = _keys(passphrase_file, key_file, folder, data_folder(os.environ, demo=only_demo()))
    _unpacked, said = backups.restore(file, keys, folder, postgres_url(database_url), upgrading.build)
    for line in said:
        click.echo(line)
    click.echo(f"已恢复到 {folder}")
    for name, why in (("field_key", "没有它，证件号、电话和附件打不开"), ("secret_key", "没有它会新做一个，大家重新登录即可")):
        if not (folder / name).exists():
            click.echo(f"请把保管的 {name} 放到 {folder / name}（只许本账号读写，0600）：{why}。")
    click.echo(f"然后以 DATA_DIR={folder} 启动" + ("，DATABASE_URL 指向恢复好的数据库。" if database_url else "。"))


def _phrase(file: Path | None) -> bytes | None:
    """The passphrase in a file.

    :raises Unusable: when it is short.
    """
    if file is None:
        return None
    phrase = file.read_bytes().strip()
    if len(phrase) < 12:
        raise Unusable("备份口令至少 12 个字符，写在文件的第一行。")
    return phrase


def _keys(passphrase_file: Path | None, key_file: Path | None, *places: Path) -> chunks.Keys:
    """The passphrase, and the field key where it is found first."""
    there = [file for file in (key_file, *(place / "field_key" for place in places)) if file and file.exists()]
    try:
        return chunks.Keys(bytes.fromhex(there[0].read_text().strip()) if there else None, _phrase(passphrase_file))
    except ValueError:
        raise Unusable(f"{there[0]} 不是 field_key：应是一行十六进制字符。") from None


@main.command("check")
@click.option("--json", "as_json", is_flag=True)
@plain_errors
def check_all(as_json: bool) -> None:
    """Is this installation safe to use: settings, keys, database, log, attachments, disk, backups?"""
    found = list(selfcheck.look(os.environ, demo=only_demo()))
    wrong = any(each.state == selfcheck.WRONG for each in found)
    if as_json:
        click.echo(json.dumps({"ok": not wrong, "checks": [each.as_json() for each in found]}, ensure_ascii=False))
    else:
        for each in found:
            click.echo(f"{selfcheck.WORDS[each.state]}  {each.what}：{each.text}")
    sys.exit(1 if wrong else 0)


__all__ = ["db", "main"]
