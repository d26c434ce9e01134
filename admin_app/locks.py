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
def serving(settings: Settings) -> Iterator[None]:
    """A service runs; there may be others."""
    with _locked(settings.data_dir / "serve.lock", "LOCK_SH"):
        yield


@contextlib.contextmanager
def standing_still(settings: Settings) -> Iterator[None]:
    """:raises Unusable: while a service runs on this data folder."""
    try:
        with _locked(settings.data_dir / "serve.lock", "LOCK_EX", "LOCK_NB"):
            yield
    except BlockingIOError:
        raise Unusable("服务还在运行：请先停止服务。") from None


@contextlib.contextmanager
def _locked(path: Path, *how: str) -> Iterator[None]:
    """Hold a file's lock."""
    with path.open("w") as lock:
        with contextlib.suppress(ImportError):
            import fcntl

            fcntl.flock(lock, sum(getattr(fcntl, each) for each in how))
        yield
