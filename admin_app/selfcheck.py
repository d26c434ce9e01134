"""Is this installation safe to use? Each finding is fine, worth knowing, or wrong; nothing is changed, no key is made.

A start looks at what the environment says and at the clock (``before_start``, ``before_serving``); ``look`` is all of it.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from . import anchors, audit, backups, create_app, row_security
from .access import SYSTEM
from .db import db, known_revisions, session_with
from .labels import COUNTY_CLOCK
from .models import Attachment, AuditEntry, Setting
from .orm import utcnow
from .records import attachments
from .sessions import CLOCK_SLACK
from .settings import PATIENCE, Settings, Unusable, data_folder, read

OK, NOTE, WRONG = "ok", "note", "wrong"
WORDS = {OK: "正常", NOTE: "提示", WRONG: "有误"}
LITTLE = 1 << 30
OLD = dt.timedelta(days=2)
FIRST_DAY = dt.date(2025, 9, 1)
"""This program is younger than that: a clock that stands before it lost its battery."""
PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": PATIENCE * 1000}
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True)
class Finding:
    state: str
    what: str
    text: str
    missing: bool = False
    """A key that is not there."""
    stops: bool = True
    """Being wrong, it keeps the server from starting; not so what somebody asked for by a setting, and what may pass."""

    def as_json(self) -> dict[str, str]:
        return {"state": self.state, "what": self.what, "text": self.text}


def look(env: Mapping[str, str], *, demo: bool = False) -> Iterator[Finding]:
    """Everything, in the order in which one mends it; what cannot be looked at before something else is mended is left out."""
    found = list(keys(env, data_folder(env, demo=demo)))
    yield from found
    if any(each.missing for each in found):
        yield Finding(NOTE, "其余", "钥匙不全，其余各项没有检查")
        return
    try:
        settings = read(env, demo=demo)
    except (Unusable, ValueError) as e:
        yield Finding(
            WRONG, "设置", f"{e}。其余各项没有检查" if isinstance(e, Unusable) else "field_key 不是十六进制字符，其余各项没有检查"
        )
        return
    yield from _network(settings, env)
    yield _clock()
    yield from _disk(settings)
    yield from _backups(settings)
    if settings.is_sqlite and not backups.sqlite_file(settings).exists():
        yield Finding(WRONG, "数据库", f"没有 {backups.sqlite_file(settings)}：DATA_DIR 对吗？")
        return
    with create_app(settings).app_context():
        try:
            yield from _database(settings)
        except DBAPIError as e:
            yield Finding(WRONG, "数据库", f"打不开：{type(e.orig).__name__}。请核对 DATABASE_URL 和数据库服务")
        finally:
            db.engine.dispose()


def keys(env: Mapping[str, str], folder: Path) -> Iterator[Finding]:
    """The two keys: there, long enough, closed to others. They are looked at before ``read``, which makes what is missing."""
    for name, given in (("field_key", ""), ("secret_key", env.get("SECRET_KEY", ""))):
        file = folder / name
        if given:
            short = len(given) < 32
            yield Finding(WRONG if short else OK, "SECRET_KEY", "至少 32 个字符" if short else "来自环境变量，长度足够")
        elif not file.exists():
            yield Finding(WRONG, name, f"没有 {file}：请从保管处放回；新安装请先启动一次", missing=True)
        elif len(file.read_text().strip()) < (64 if name == "field_key" else 32):
            yield Finding(WRONG, name, f"{file} 太短，不是原来的钥匙")
        elif _open_to_others(file):
            yield Finding(WRONG, name, f"别的账号也能读：请运行 chmod 600 {file}")
        else:
            yield Finding(OK, name, "在，只有本账号能读" if os.name != "nt" else "在；请在文件属性里确认只有本账号能读")


def _open_to_others(path: Path) -> bool:
    return os.name != "nt" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def before_start(settings: Settings, env: Mapping[str, str]) -> list[Finding]:
    """Keys, network, clock, disk, before a database is touched.

    :returns: what is worth knowing.
    :raises Unusable: with a sentence for everything that is wrong.
    """
    return _said([*keys(env, settings.data_dir), *_network(settings, env), _clock(), *_disk(settings)])


def before_serving(settings: Settings, session: Session) -> list[Finding]:
    """Would the database lose at a power cut what people were told is saved, and is the clock behind its log?

    :returns: what is worth knowing.
    :raises Unusable: with a sentence for everything that is wrong.
    """
    return _said([*_durability(settings), _clock_and_log(session)])


def _said(found: Iterable[Finding]) -> list[Finding]:
    worth_knowing = [each for each in found if each.state != OK]
    if wrong := [f"{each.what}：{each.text}" for each in worth_knowing if each.state == WRONG and each.stops]:
        raise Unusable("没有启动：\n" + "\n".join(wrong))
    return worth_knowing


def _network(settings: Settings, env: Mapping[str, str]) -> Iterator[Finding]:
    names = settings.trusted_hosts
    if settings.on_loopback and not names:
        yield Finding(OK, "网络", f"只在本机 {settings.host}:{settings.port} 提供服务")
    elif settings.behind_tls:
        yield Finding(OK, "网络", "在 https 代理之后，登录凭据只经 https 传送")
    elif settings.allow_http:
        unsafe = "ALLOW_HTTP=1：号码和密码不加密地经过网络。请放在 https 代理之后，设 BEHIND_TLS=1"
        yield Finding(WRONG, "网络", unsafe, stops=False)
    else:
        yield Finding(
            WRONG,
            "网络",
            "写了 TRUSTED_HOSTS，就是经代理给别的电脑用：代理用 https 的设 BEHIND_TLS=1；不加密的须明确设 ALLOW_HTTP=1",
        )
    if not settings.on_loopback and not names:
        yield Finding(WRONG, "网址", f"HOST={settings.host} 对外监听，须用 TRUSTED_HOSTS 写上大家在浏览器里用的名称或地址")
    if addresses := [name for name in names if "/" in name]:
        yield Finding(WRONG, "网址", f"TRUSTED_HOSTS 只写名称，不带 http:// 和斜杠：{'、'.join(addresses)}")
    if settings.behind_tls and not settings.trusted_proxy:
        yield Finding(NOTE, "代理", "没有设 TRUSTED_PROXY：日志和登录限制只看得到代理的地址，看不到各校的")
    if env.get("FLASK_DEBUG", "0").lower() not in ("", "0", "false", "no"):
        yield Finding(WRONG, "调试", "FLASK_DEBUG 开着，出错页会显示内部情况：请去掉")
    if not settings.rate_limits:
        yield Finding(WRONG, "登录次数", "RATE_LIMITS=off，登录次数不受限制，只能用于测试：请去掉", stops=False)


def _clock() -> Finding:
    now = dt.datetime.now(COUNTY_CLOCK)
    if now.date() < FIRST_DAY:
        return Finding(WRONG, "时钟", f"服务器时钟是 {now:%Y-%m-%d %H:%M}，那时还没有本程序：请校准")
    return Finding(OK, "时钟", f"现在是 {now:%Y-%m-%d %H:%M}（北京时间），请与手机核对")


def _clock_and_log(session: Session) -> Finding:
    """The newest entry by number: after a clock that was fast is put right, one more entry of whatever command mends it."""
    now, last = utcnow(), session.scalar(select(AuditEntry.at).order_by(AuditEntry.id.desc()).limit(1))
    if last is None or last <= now + CLOCK_SLACK:
        return Finding(OK, "时钟和日志", "操作日志里没有将来的时间")
    at, newest = (each.astimezone(COUNTY_CLOCK).strftime("%Y-%m-%d %H:%M") for each in (now, last))
    mend = "请校准服务器时钟。时钟没有错、是以前拨快过的，先运行 backup：日志记下现在的时间，就可以启动"
    return Finding(WRONG, "时钟和日志", f"服务器时钟是 {at}，操作日志最后一条已是 {newest}。{mend}")


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.data_dir).free
    left = f"还剩 {free >> 20} MB" + ("，请尽快清理" if free < LITTLE else "")
    yield Finding(WRONG if free < LITTLE else OK, "磁盘", left, stops=False)  # reading goes on when it is full
    if _open_to_others(settings.data_dir):
        yield Finding(NOTE, "数据文件夹", f"本机别的账号也能进入：请运行 chmod 700 {settings.data_dir}")


def _backups(settings: Settings) -> Iterator[Finding]:
    if settings.backup_dir is None:
        yield Finding(NOTE, "备份", "没有设 BACKUP_DIR，没有查看最近的备份")
        return
    made = backups.finished(settings.backup_dir)
    if not made:
        yield Finding(WRONG, "备份", f"{settings.backup_dir} 里没有备份：请运行 backup")
        return
    age = utcnow() - dt.datetime.fromtimestamp(made[-1].stat().st_mtime, dt.UTC)
    words = f"最近一份 {made[-1].name}，{age.days} 天 {age.seconds // 3600} 小时前"
    yield Finding(WRONG if age > OLD else OK, "备份", words + ("：每日备份停了吗？" if age > OLD else ""))
    if _on_one_disk(settings.backup_dir, settings.data_dir):
        yield Finding(NOTE, "备份的位置", "和数据在同一块磁盘上，磁盘坏了两样都没有：请把 BACKUP_DIR 设到另一块磁盘或另一台机器")


def _on_one_disk(folder: Path, other: Path) -> bool:
    """As far as it can be seen: parts of one disk count as several. A folder not there yet lies where its parent does."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return there.stat().st_dev == other.stat().st_dev


def _database(settings: Settings) -> Iterator[Finding]:
    yield from _durability(settings)
    with db.engine.connect() as connection:
        yield _second_wall(connection)
        at, known = backups.revision(connection), known_revisions()
    newest = known[0]
    if at != newest:
        what_to_do = "请运行 db upgrade，它先备份" if at in (None, *known) else "是更新的版本建的，请用新版程序"
        yield Finding(WRONG, "数据库结构", f"是 {at or '空的'}，本版是 {newest}：{what_to_do}。以下各项没有检查")
        return
    yield Finding(OK, "数据库结构", f"{at}，与本版相符")
    with session_with(SYSTEM) as session:
        yield from _contents(session, settings)


def _durability(settings: Settings) -> Iterator[Finding]:
    if not settings.is_sqlite:
        with db.engine.connect() as connection:
            off = [name for name in DURABLE if connection.scalar(select(func.current_setting(name))) == "off"]
        yield Finding(WRONG if off else OK, "断电不丢", f"{'、'.join(off)} 关着，请打开" if off else f"{'、'.join(DURABLE)} 都开着")
        return
    connection = db.engine.raw_connection()
    try:
        found = {name: connection.cursor().execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS}
    finally:
        connection.close()
    bad = [f"{name}={found[name]}" for name, wanted in PRAGMAS.items() if found[name] != wanted]
    said = "，".join(f"{name}={value}" for name, value in found.items())
    yield Finding(WRONG if bad else OK, "断电不丢", f"{'，'.join(bad)} 不对：数据文件夹在本机磁盘上吗？" if bad else said)


def _second_wall(connection: Connection) -> Finding:
    """Does the database itself keep the schools apart?"""
    what = "第二道防线"
    if connection.dialect.name != "postgresql":
        return Finding(NOTE, what, "没有：SQLite 没有按行的权限，哪所学校能看哪些记录只由程序把守")
    if not row_security.holds(connection):
        return Finding(
            NOTE,
            what,
            "没有：程序用的数据库账号是表的所有者或超级用户，按行的权限管不到它。请另建一个账号写在 DATABASE_URL，所有者只写在 DATABASE_OWNER_URL",
        )
    if not row_security.is_built(connection):
        return Finding(WRONG, what, "数据库里按行的权限与本版不符：请运行 db upgrade")
    return Finding(OK, what, "数据库按行把守，与本版相符")


def _contents(session: Session, settings: Settings) -> Iterator[Finding]:
    held, broken = audit.verify(session)
    yield Finding(WRONG if broken else OK, "操作日志", f"{broken}（前 {held} 条完好）" if broken else f"{held} 条，完好")
    try:
        yield Finding(OK, "加密的号码", f"抽查 {backups.open_sample(session.connection())} 个，都能打开")
    except ValueError:
        yield Finding(WRONG, "加密的号码", "打不开：field_key 不是原来那一个，请放回原来的")
    yield _log_ends(session, settings)
    yield _clock_and_log(session)
    folder = attachments.folder_of(settings.data_dir)
    there = {path.name for path in attachments.files(folder)}
    seen = select(Attachment.stored).execution_options(include_deleted=True)
    lost = len(set(session.scalars(seen)) - there)
    unknown = len(attachments.orphans(session, folder))
    yield Finding(
        WRONG if lost else OK, "附件", f"{lost} 份登记了但没有文件：请从备份恢复" if lost else f"{len(there)} 份，登记的都在"
    )
    if unknown:
        yield Finding(NOTE, "附件", f"{unknown} 个文件没有登记，是没有写成的上传留下的，不影响使用")
    if session.scalar(select(Setting.id).where(Setting.key == "demo")):
        yield Finding(NOTE, "演示", "这是演示数据库")


def _log_ends(session: Session, settings: Settings) -> Finding:
    """Is the log as long as it was, as it was written down outside the database?"""
    what, written = "日志末尾", anchors.written(settings.anchors)
    if misfit := anchors.first_misfit(session, settings.anchors):
        return Finding(WRONG, what, f"{misfit}。刚恢复过旧备份的，把 {settings.anchors / anchors.NAME} 改名留存")
    if not written:
        return Finding(NOTE, what, f"还没有写下过：启动服务或运行 backup，就写在 {settings.anchors}")
    fits = f"写下过 {len(written)} 次，都与日志相符，最近一次 {written[-1].at}"
    if _on_one_disk(settings.anchors, settings.data_dir):
        return Finding(
            NOTE, what, f"{fits}；但和数据在同一块磁盘上，改得了数据的人也改得了它：请用 ANCHOR_DIR 设到 U 盘或另一台机器"
        )
    return Finding(OK, what, fits)
