#!/usr/bin/env python3
"""Sets the product up and hands over to it: needs Python 3.11 with pip, nothing else.

python3 manage.py            set up, migrate, load the demo county (first start only), serve on http://127.0.0.1:8000
python3 manage.py serve      a real office: no demo data, no account
python3 manage.py test       the tests (--postgres, --slow, or pytest's own words)
python3 manage.py WORD ...   any other command (--help lists them)
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LISTS = ("base", "postgres", "tests")
"""Each holds what the one before holds."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(*words: str) -> None:
    done = subprocess.run(words, stdout=sys.stderr, check=False)
    if done.returncode:
        say(f"安装失败：{' '.join(words[:6])} …")
        sys.exit(done.returncode)


def wanted(testing: bool) -> int:
    """How many of LISTS this start needs."""
    postgres = os.environ.get("DATABASE_URL", "").startswith("postgres") or "--postgres" in sys.argv
    return 3 if testing else 2 if postgres else 1


def set_up(testing: bool) -> None:
    """Make .venv and install what a list pins, each file by its fingerprint; done again only when the list changed."""
    lists = [ROOT / "requirements" / f"{name}.txt" for name in LISTS[: wanted(testing)]]
    stamps = {VENV / f"installed-{each.stem}": hashlib.sha256(each.read_bytes()).hexdigest() for each in lists}
    if PYTHON.exists() and all(stamp.exists() and stamp.read_text() == digest for stamp, digest in stamps.items()):
        return
    say("正在准备运行环境（首次约一分钟）…")
    if not PYTHON.exists():
        # Debian without python3-venv has no ensurepip: make the environment without pip and install into it from outside
        with_pip = [] if importlib.util.find_spec("ensurepip") else ["--without-pip"]
        run(sys.executable, "-m", "venv", *with_pip, str(VENV))
    own_pip = any(VENV.glob("lib*/python*/site-packages/pip")) or (VENV / "Lib/site-packages/pip").exists()
    pip = [str(PYTHON), "-m", "pip"] if own_pip else [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    run(*pip, "install", *quiet, "--require-hashes", "--only-binary=:all:", "--requirement", str(lists[-1]))
    for stamp, digest in stamps.items():
        stamp.write_text(digest)


def test(words: list[str]) -> int:
    """The quick suite, then the matrix and the browser story; --slow adds the slow ones. Pytest's own words run as given."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TEST_POSTGRES": "1" if "--postgres" in words else ""}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # every process would compile everything anew
    slow = "--slow" in words
    words = [w for w in words if w not in ("--postgres", "--slow")]
    own = [w for w in words if not w.startswith("-")] or any(w in words for w in ("-k", "-m"))
    runs = [[]] if own else [["-m", "not matrix and not browser and not slow"], ["-m", "(matrix or browser) and not slow"]]
    if slow and not own:
        runs.append(["-m", "slow"])
    chosen = any(not w.startswith("-") for w in words if w not in _after(words, "-m")) or "-k" in words or "-n" in words
    workers = [] if chosen else ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder"]
    worst = 0
    for marks in runs:
        code = subprocess.run([str(PYTHON), "-m", "pytest", *workers, *marks, *words], cwd=ROOT, env=env, check=False).returncode
        worst = worst or (0 if code == 5 else code)
    return worst


def _after(words: list[str], option: str) -> list[str]:
    """What follows an option: its value."""
    return [words[n + 1] for n, word in enumerate(words[:-1]) if word == option]


def main() -> None:
    if sys.version_info < (3, 11):
        sys.exit("需要 Python 3.11 或更高版本。")
    words = sys.argv[1:]
    testing = words[:1] == ["test"]
    set_up(testing)
    if testing:
        sys.exit(test(words[1:]))
    os.environ["PYTHONPATH"] = str(ROOT)
    command = [str(PYTHON), "-m", "admin_app", *(words or ["demo"])]
    if os.name == "nt":
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(command[0], command)  # the server's pid is this process's


if __name__ == "__main__":
    main()
