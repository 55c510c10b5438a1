"""Superset's settings for the test: a throwaway instance on loopback, its metadata in SQLite."""
import os
import sqlite3

from sqlalchemy import event
from sqlalchemy.engine import Engine

HOME = os.environ["SUPERSET_HOME"]
SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME}/superset.db"
# Nobody else reaches it: no forms to forge, no content policy that a browser without TLS would stumble over.
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
RATELIMIT_ENABLED = False


@event.listens_for(Engine, "connect")
def _hasten(connection, _):
    """Metadata that is thrown away need not survive a power cut."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = WAL")
