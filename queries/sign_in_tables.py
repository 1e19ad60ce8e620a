"""Tables of signing in: counters of tries, known browsers, second factors, and what was spent of a provider's answers.

Nothing here opens a page: that is ``UserSession``. Of every word that does open something only a digest is stored, but for
the secret of an authenticator app and the deployment's own words, which have to be read again.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from queries.tables import Base, BigId


class SignInCounter(Base):
    """A leaky counter of tries to sign in. ``name``: a digest of an account's name, an address or a known browser.

    ``level`` is what it held at ``at``; it leaks since. ``refused``: tries turned away since it was last below its limit.
    """

    __tablename__ = "sign_in_counter"
    name: Mapped[str] = mapped_column(String, primary_key=True)
    level: Mapped[float]
    at: Mapped[datetime] = mapped_column(index=True)
    refused: Mapped[int]


class UserDevice(Base):
    """A browser in which somebody signed in before: the digest of its long-lived cookie. It only has a counter of its own."""

    __tablename__ = "user_device"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(String, unique=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]


class SecondFactor(Base):
    """Somebody's authenticator app (RFC 6238). ``confirmed_at`` null: offered, not in force.

    ``last_step``: the time step of the last code that was accepted; null before the first. ``code_salt``: of the recovery codes.
    """

    __tablename__ = "second_factor"
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), primary_key=True, autoincrement=False)
    secret: Mapped[str]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    code_salt: Mapped[str | None]


class RecoveryCode(Base):
    """A code on paper that stands in for the app once. ``used_at`` null: still good."""

    __tablename__ = "recovery_code"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True)
    code_hash: Mapped[str]
    used_at: Mapped[datetime | None]


class ProviderAnswer(Base):
    """An answer of the single sign-on provider that has opened a session and never opens another."""

    __tablename__ = "provider_answer"
    digest: Mapped[str] = mapped_column(String, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class DeploymentSecret(Base):
    """A random word that every process on this database has to share, by what it is for."""

    __tablename__ = "deployment_secret"
    name: Mapped[str] = mapped_column(String, primary_key=True)
    value: Mapped[str]
