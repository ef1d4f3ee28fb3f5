"""Settings, read from the environment (`C2M_…`)."""

from functools import cached_property
from pathlib import Path
from typing import Self

import sqlalchemy as sa
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from c2m.errors import Invalid

DEFAULT_SECRET = "change-me"  # noqa: S105 - the value that is refused
DEMO_PASSWORD = "c2m-demo-2026"  # noqa: S105 - shown to everyone in demo mode
DEMO_DOMAIN = "c2m.example"  # reserved for examples (RFC 2606)


class Stored(BaseSettings):
    """Where this installation keeps its rows: all that a command needs that serves nothing."""

    model_config = SettingsConfigDict(env_prefix="C2M_", extra="ignore", frozen=True)

    database_url: str = Field(default="sqlite:///var/c2m.sqlite3", description="SQLite or PostgreSQL (psycopg 3) URL")
    broker_url: str = Field(
        default="",
        pattern="^(rediss?://.+)?$",
        description="Redis that carries work to Celery workers; none = all in this process",
    )
    access_log: bool = Field(default=False, description="print a line for each request; a proxy in front usually does")
    demand_encoder: str = Field(
        default="", description="directory of a sentence encoder that groups wants by meaning as well; none = words"
    )
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="what is logged")

    @field_validator("demand_encoder")
    @classmethod
    def _refuse_missing_encoder(cls, folder: str) -> str:
        if folder and not (Path(folder) / "config.json").is_file():
            raise ValueError(f"there is no sentence encoder at {folder}: config.json is missing")
        return folder

    @cached_property
    def sqlite_path(self) -> Path | None:
        """The database file of the embedded default, None on PostgreSQL or in memory."""
        prefix = "sqlite:///"
        if not self.database_url.startswith(prefix) or ":memory:" in self.database_url:
            return None
        return Path(self.database_url.removeprefix(prefix))


class Imagination(BaseSettings):
    """What makes pictures of products that don't exist yet."""

    model_config = SettingsConfigDict(env_prefix="C2M_", extra="ignore", frozen=True)

    design_model: str = Field(
        default="", description="image model: hub id or directory of a diffusers pipeline; none = embedded; sketch"
    )
    design_device: str = Field(default="", description="torch device that makes pictures; none = the best there is")
    design_dtype: str = Field(
        default="", pattern="^(float32|float16|bfloat16)?$", description="number format; none = fits the device"
    )
    design_steps: int | None = Field(default=None, ge=1, le=200, description="denoising steps; none = the model's own")
    design_guidance: float | None = Field(default=None, ge=0, le=20, description="how closely words are followed")
    design_lora: str = Field(default="", description="adapted weights: file, directory or hub id")
    design_scheduler: str = Field(default="", description="another scheduler of diffusers, by its class name")
    design_size: int | None = Field(
        default=None, ge=16, le=4096, multiple_of=8, description="pixels a side; none = the model's own"
    )
    design_batch: int = Field(default=1, ge=1, le=64, description="pictures made at once")
    design_memory_gib: float | None = Field(
        default=None, gt=0, description="most memory for the weights, and on a GPU for everything, GiB"
    )
    likeness_model: str = Field(
        default="", description="directory of a vision model of transformers for image search; none = our own features"
    )
    design_worker: bool = Field(
        default=False, description="pictures are made by `c2m worker --queue design`; off = by a process started here"
    )


class Settings(Stored, Imagination):
    """How this installation runs. Outside demo mode the secret must be set."""

    model_config = SettingsConfigDict(env_prefix="C2M_", extra="forbid", frozen=True)

    demo: bool = Field(default=False, description="demo mode: sandbox payments, sign-ins shown, default secret allowed")
    secret_key: SecretStr = Field(default=SecretStr(DEFAULT_SECRET), description="signs cookies and CSRF tokens")
    currency: str = Field(default="CNY", pattern="^[A-Z]{3}$", description="ISO 4217 code of the market")
    timezone: str = Field(default="Asia/Shanghai", description="time zone in which dates are shown and entered")
    payments: str = Field(
        default="sandbox", pattern="^sandbox$", description="payment provider; sandbox moves no money"
    )
    secure_cookies: bool = Field(default=True, description="send cookies over https only (off in demo mode)")
    job_threads: int = Field(default=1, ge=0, le=32, description="worker threads inside the web process; 0 = none")
    max_upload_bytes: int = Field(default=8 * 1024 * 1024, ge=1024, description="largest request body")
    trusted_proxies: int = Field(default=0, ge=0, le=8, description="reverse proxies whose X-Forwarded-* are believed")
    password_passes: int = Field(default=3, ge=1, le=64, description="argon2id: passes over the memory")
    password_memory_kib: int = Field(default=65_536, ge=8, le=4_194_304, description="argon2id: memory, KiB")

    @model_validator(mode="after")
    def _refuse_default_secret(self) -> Self:
        if not self.demo and self.secret_key.get_secret_value() == DEFAULT_SECRET:
            raise ValueError("C2M_SECRET_KEY is still at its default; set it, or run with C2M_DEMO=1")
        if len(self.secret_key.get_secret_value()) < 16 and not self.demo:
            raise ValueError("C2M_SECRET_KEY is too short: 16 characters or more")
        return self

    @property
    def sends_secure_cookies(self) -> bool:
        """Whether cookies travel over https only."""
        return self.secure_cookies and not self.demo


def environment(settings: BaseSettings, kind: type[BaseSettings]) -> dict[str, str]:
    """The variables that give another process these settings, as far as they are of that kind."""
    chosen = {name: getattr(settings, name) for name in kind.model_fields}
    return {f"C2M_{name}".upper(): str(value) for name, value in chosen.items() if value is not None}


def complaint(wrong: ValidationError) -> str:
    """What is wrong with settings, naming the variables."""
    faults = [("".join(f"C2M_{step}: ".upper() for step in each["loc"]), each["msg"]) for each in wrong.errors()]
    return "; ".join(name + message.removeprefix("Value error, ") for name, message in faults)


class UnknownDatabase(Invalid):
    """The address of a database names none of those that are supported."""

    sentence = "A database is named like sqlite:///var/c2m.sqlite3 or postgresql://user:password@host/name."


class NoSuchFolder(UnknownDatabase):
    """A database file is asked for in a folder that isn't there: a slip of the pen rather than a new market."""

    sentence = "The folder %(folder)s of the database doesn't exist."


def see_to_folder(folder: Path) -> None:
    """Make the folder of a path below the present one, such as var/; any other must exist.

    Raises:
        NoSuchFolder
    """
    if not folder.is_absolute():
        folder.mkdir(parents=True, exist_ok=True)
    elif not folder.is_dir():
        raise NoSuchFolder(folder=folder)


def sqlalchemy_url(address: str) -> sa.URL:
    """The address of a database as SQLAlchemy wants it; PostgreSQL is reached by psycopg 3.

    Raises:
        UnknownDatabase
    """
    try:
        url = sa.make_url(address)
    except sa.exc.ArgumentError as wrong:
        raise UnknownDatabase() from wrong
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise UnknownDatabase(driver=url.drivername)
    return url
