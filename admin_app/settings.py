"""Settings, read once from the environment. A half-configured product refuses to start."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

PATIENCE = 30
"""Seconds that a writer waits for the one before, on either database: whoever has waited longest is not served first."""
LIMITS = MappingProxyType(
    {"search": 600, "lookup": 3000, "open": 1200, "export": 120, "print": 600, "download": 600, "reveal": 60, "probe": 120}
)
"""How often an account may do in an hour what shows or takes out records of children: far above a day's work of one person."""


class Unusable(Exception):
    """The environment is wrong; the text says what to change."""


@dataclass(frozen=True)
class Settings:
    data_dir: Path
    database_url: str
    owner_url: str
    secret_key: str
    field_key: bytes
    host: str = "127.0.0.1"
    port: int = 8000
    demo: bool = False
    demo_password: str = ""
    rate_limits: bool = True
    allow_http: bool = False
    behind_tls: bool = False
    """A proxy speaks https to the browsers, wherever it stands."""
    trusted_hosts: tuple[str, ...] = ()
    """Names under which a proxy offers this server, beside this machine's own."""
    backup_dir: Path | None = None
    """Where backups go and their age is looked at."""
    anchor_dir: Path | None = None
    """Where it is written down every day how far the log went."""
    trusted_proxy: str = ""
    """Address of the proxy whose word on where a request came from is taken; without it nobody's is."""
    idle_minutes: int = 30
    session_hours: int = 12
    school_sessions: int = 1
    """At how many places one account of a school is logged in; the oldest gives way."""
    bureau_sessions: int = 3
    require_totp: tuple[str, ...] = ()
    """The roles that cannot do without one-time codes."""
    limits: Mapping[str, int] = field(default_factory=lambda: LIMITS)

    @property
    def on_loopback(self) -> bool:
        return self.host in ("127.0.0.1", "localhost", "::1")

    @property
    def secure_cookies(self) -> bool:
        return self.behind_tls or not (self.on_loopback or self.allow_http)

    @property
    def backups(self) -> Path:
        """Where backups go: ``backups`` beside the data where no folder is named."""
        return self.backup_dir or self.data_dir / "backups"

    @property
    def anchors(self) -> Path:
        """Where the ends of the log are written down: ``anchors`` beside the data where no folder is named."""
        return self.anchor_dir or self.data_dir / "anchors"

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def read(env: Mapping[str, str] | None = None, *, demo: bool = False, rotating: bool = False) -> Settings:
    """The settings in ``env`` (default: this process's).

    :param rotating: the field key is being changed; nothing else starts before that is done.
    :raises Unusable: when a value cannot be used, or plain http is asked for beyond this machine without ALLOW_HTTP=1.
    """
    env = os.environ if env is None else env
    data_dir = data_folder(env, demo=demo)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as e:
        raise Unusable(f"DATA_DIR {data_dir} 不能写入：{e.strerror}") from None
    url = _database_url(env.get("DATABASE_URL", ""), data_dir)
    if (data_dir / "field_key.new").exists() and not rotating:
        raise Unusable("更换钥匙没有做完：请先停止服务，再运行 rotate-key 接着做")
    secret = env.get("SECRET_KEY") or kept_secret(data_dir / "secret_key")
    if len(secret) < 32:
        raise Unusable("SECRET_KEY 至少 32 个字符")
    settings = Settings(
        data_dir=data_dir,
        database_url=url,
        owner_url=_database_url(env.get("DATABASE_OWNER_URL", ""), data_dir) if env.get("DATABASE_OWNER_URL") else url,
        secret_key=secret,
        field_key=field_key(data_dir / "field_key"),
        host=env.get("HOST", "127.0.0.1"),
        port=_number(env, "PORT", 8000),
        demo=demo,
        demo_password=env.get("DEMO_PASSWORD", ""),
        rate_limits=env.get("RATE_LIMITS") != "off",
        allow_http=env.get("ALLOW_HTTP") == "1",
        behind_tls=env.get("BEHIND_TLS") == "1",
        trusted_hosts=_words(env.get("TRUSTED_HOSTS", "")),
        backup_dir=_folder(env, "BACKUP_DIR"),
        anchor_dir=_folder(env, "ANCHOR_DIR"),
        trusted_proxy=env.get("TRUSTED_PROXY", ""),
        school_sessions=_number(env, "MAX_SESSIONS_SCHOOL", 1),
        bureau_sessions=_number(env, "MAX_SESSIONS_BUREAU", 3),
        require_totp=_words(env.get("REQUIRE_TOTP", "")),
        limits={act: _number(env, f"LIMIT_{act.upper()}", most) for act, most in LIMITS.items()},
    )
    if not (settings.on_loopback or settings.allow_http or settings.behind_tls):
        raise Unusable("在本机以外提供明文 http 须设 ALLOW_HTTP=1；建议放在 https 反向代理之后（BEHIND_TLS=1）")
    return settings


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    """:raises Unusable: for anything but a whole number from 1."""
    given = env.get(name, "").strip() or str(default)
    if not (given.isascii() and given.isdecimal() and int(given)):
        raise Unusable(f"{name} 应为大于 0 的整数")
    return int(given)


def _folder(env: Mapping[str, str], name: str) -> Path | None:
    return Path(env[name]).resolve() if env.get(name) else None


def _words(given: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in given.split(",") if word.strip())


def data_folder(env: Mapping[str, str], *, demo: bool = False) -> Path:
    """Where the data lie; nothing is made."""
    return Path(env.get("DATA_DIR") or ("instance/demo" if demo else "instance/data")).resolve()


def _database_url(given: str, data_dir: Path) -> str:
    return postgres_url(given) or f"sqlite:///{data_dir / 'register.sqlite3'}"


def postgres_url(given: str) -> str:
    """The address as SQLAlchemy wants it, with the driver; any other as it is."""
    for prefix in ("postgres://", "postgresql://"):
        if given.startswith(prefix):
            return "postgresql+psycopg://" + given.removeprefix(prefix)
    return given


def field_key(path: Path) -> bytes:
    """The key in a file, made where there is none.

    :raises Unusable: when it is cut short or no key at all: nothing must be sealed with what anybody can guess.
    """
    text = kept_secret(path)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) < 32:
        raise Unusable(f"{path} 不是一把完整的钥匙：请从保管处放回；从来没有用过的，删除这个文件再启动。")
    return key


def kept_secret(path: Path) -> str:
    """A key file readable by its owner only, made at the first start: whole and on the disk before anything is sealed with it."""
    if not path.exists():
        half = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_hex(32))
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(half, path)  # whoever came first has made it
        except FileExistsError:
            pass
        finally:
            half.unlink()
        sync(path.parent)
    return path.read_text().strip()


def sync(folder: Path) -> None:
    """The new name, too, must survive a power cut."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
