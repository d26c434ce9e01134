"""The register of left-behind children and the annual assessment of a county's schools."""

from __future__ import annotations

from flask import Flask

from .settings import Settings


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
        MAX_CONTENT_LENGTH=12 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        SESSION_COOKIE_NAME="session" if settings.on_loopback else "__Host-session",
        SESSION_COOKIE_SECURE=not (settings.on_loopback or settings.allow_http),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        BABEL_DEFAULT_LOCALE="zh_Hans_CN",
        WTF_CSRF_TIME_LIMIT=settings.session_hours * 3600,
        FLASK_ADMIN_FLUID_LAYOUT=True,
    )
    if settings.on_loopback:
        app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost", "[::1]"]
    db.init(app, settings)
    auth.init(app, settings)
    views.init(app)
    return app
