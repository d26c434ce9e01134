"""Files that are held while something runs on a data folder: a start, a service, a change that wants to be alone.

Windows has none of these: one office computer, one start.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from .settings import Settings, Unusable


@contextlib.contextmanager
def starting(settings: Settings) -> Iterator[None]:
    """Several starts at once wait for each other."""
    with _locked(settings.data_dir / "start.lock", "LOCK_EX"):
        yield


@contextlib.contextmanager
def at_work(data_dir: Path) -> Iterator[None]:
    """A service runs, or a command reads or writes what is sealed; there may be others, and nobody stands still meanwhile.

    :raises Unusable: while the key or the schema is being changed.
    """
    try:
        with _locked(data_dir / "serve.lock", "LOCK_SH", "LOCK_NB"):
            yield
    except BlockingIOError:
        raise Unusable("正在更换钥匙或升级数据库：请等它做完再来。") from None


@contextlib.contextmanager
def standing_still(settings: Settings) -> Iterator[None]:
    """Alone with the data, to change their key or their schema.

    :raises Unusable: while a service or a command works on this data folder.
    """
    try:
        with _locked(settings.data_dir / "serve.lock", "LOCK_EX", "LOCK_NB"):
            yield
    except BlockingIOError:
        raise Unusable("服务还在运行，或者别的命令还没有做完：请先停止服务，等命令做完。") from None


@contextlib.contextmanager
def _locked(path: Path, *how: str) -> Iterator[None]:
    """Hold a file's lock."""
    with path.open("w") as lock:
        with contextlib.suppress(ImportError):
            import fcntl

            fcntl.flock(lock, sum(getattr(fcntl, each) for each in how))
        yield
