"""What the service can be told, by flag, environment (`LINEUP_*`) or TOML, in this order."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from indexer.errors import UsageError
from indexer.images import Limits

MEBIBYTE = 1024 * 1024


class Settings(BaseSettings):
    """All settings. Every field is also a flag of `search-api` and a key of its TOML file."""

    model_config = SettingsConfigDict(env_prefix="LINEUP_", frozen=True)

    index: str | Path = Field(
        description="The index: a folder, or postgresql+psycopg://USER@HOST/DATABASE."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    auth: Literal["auto", "required"] = Field(
        "auto", description="required: a key is needed even while none exists; auto: once one does."
    )
    key_rate: float = Field(
        100.0, gt=0, description="Requests a second with one key; more are refused with 429."
    )
    key_requests: int = Field(
        32, ge=1, description="Requests of one key in work at once; more are refused with 429."
    )
    signing_key: Path | None = Field(
        None,
        description="Ed25519 key (PEM) that reports are signed with, made when there is none; "
        "by default ~/.config/lineup/signing.pem.",
    )
    keep_queries: bool = Field(
        False,
        description="true: keep every image that is asked about, in the index folder, queries/; "
        "false: keep none.",
    )
    max_upload_bytes: int = Field(
        32 * MEBIBYTE, ge=1, le=64 * MEBIBYTE, description="Largest request body, in bytes."
    )
    body_timeout: float = Field(
        60.0, gt=0, description="Seconds in which a request body must be there, else 408."
    )
    max_body_memory: int = Field(
        256 * MEBIBYTE,
        ge=64 * MEBIBYTE,
        description="Bytes of request bodies in memory at once; more are refused with 503.",
    )
    shutdown_timeout: int = Field(
        30, ge=0, description="Seconds that requests in work have to end when the service stops."
    )
    url_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Hosts from which a query's URL may be fetched, separated by commas, "
        "*.example.org for those below one; none: no URL is.",
    )
    max_pixels: int = Field(
        Limits().max_pixels,
        ge=1,
        le=Limits().max_pixels,
        description="Largest uploaded image, in pixels.",
    )
    max_requests: int = Field(
        64, ge=1, description="Requests in work at once; more are refused with 503."
    )
    max_queue: int = Field(
        16, ge=1, description="Uploads waiting for the model; more are refused with 503."
    )
    model_timeout: float = Field(
        60.0, gt=0, description="Seconds after which a waiting upload is given up with 503."
    )
    max_batch: int = Field(8, ge=1, description="Uploads that the model encodes together.")
    hung_after: float = Field(
        4.0, gt=0, description="Seconds without a step of the model: the service is not ready."
    )
    kill_after: float = Field(
        30.0, gt=0, description="Seconds without a step of the model: its process is replaced."
    )

    @field_validator("url_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(host.strip().lower() for host in value.split(",") if host.strip())

    @property
    def limits(self) -> Limits:
        """What an uploaded image may be, checked before it is decoded."""
        return Limits(max_bytes=self.max_upload_bytes, max_pixels=self.max_pixels)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(toml: Path | None = None, **flags: object) -> Settings:
    """Settings from flags, then the environment, then the TOML file, then the defaults.

    Raises UsageError, naming every setting that is missing, unknown or out of range.
    """

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=toml)

    try:
        return FromFile(**flags)  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = (f"{part['loc'][0]}: {part['msg']}" for part in error.errors())
        raise UsageError(
            f"settings: {'; '.join(wrong)}",
            do="see search-api --help for the settings, their environment names and defaults",
        ) from error
