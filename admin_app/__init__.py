"""The register of left-behind children and the annual assessment of a county's schools."""

from __future__ import annotations

import os
import time

from flask import Flask

from .settings import Settings

__version__ = "0.1.0"

os.environ["TZ"] = "CST-8"  # China's one zone: the county's day begins at its own midnight, wherever the server stands
if hasattr(time, "tzset"):
    time.tzset()


def create_app(settings: Settings | None = None) -> Flask:
    """The application: settings, database, login, views. Nothing else happens here."""
    from . import auth, db, settings as configuration, views
    from .orm import keyring

    settings = settings or configuration.read()
    keyring.unlock(settings.field_key)
    app = Flask(__name__, instance_path=str(settings.data_dir))
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SETTINGS=settings,
        DEBUG=False,  # whatever FLASK_DEBUG says: a page of errors shows what is in memory
        MAX_CONTENT_LENGTH=12 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        SESSION_COOKIE_NAME="__Host-session" if settings.secure_cookies else "session",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        BABEL_DEFAULT_LOCALE="zh_Hans_CN",
        WTF_CSRF_TIME_LIMIT=settings.session_hours * 3600,
        FLASK_ADMIN_FLUID_LAYOUT=True,
    )
    if settings.on_loopback or settings.trusted_hosts:
        app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost", "[::1]", *settings.trusted_hosts]
    db.init(app, settings)
    auth.init(app, settings)
    views.init(app)
    return app
