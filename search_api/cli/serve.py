"""search-api, without a sub-command: serve."""

from pathlib import Path

import click

from indexer import __version__
from search_api.settings import Settings, load_settings


def _settings_options(command: click.Group) -> click.Group:
    """A flag for every field of the settings; the settings themselves check the values."""
    for name, field in reversed(Settings.model_fields.items()):
        default = "required" if field.is_required() else f"default: {field.default}"
        dashed = name.replace("_", "-")
        switch = field.annotation is bool
        flag = click.Option(
            [f"--{dashed}/--no-{dashed}" if switch else f"--{dashed}", name],
            metavar=None if switch else "VALUE",
            default=None,
            help=f"{field.description}  [{default}; env: LINEUP_{name.upper()}]",
        )
        command.params.insert(0, flag)
    return command


@_settings_options
@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="LINEUP_CONFIG",
    help="A TOML file with settings, named as the flags are.  [env: LINEUP_CONFIG]",
)
@click.version_option(__version__, prog_name="search-api")
@click.pass_context
def search_api(context: click.Context, /, config: Path | None, **flags: object) -> None:
    """Serve searches over an index by HTTP.

    A flag goes before its environment variable, that before the file given by --config.
    The interface is described at /openapi.json.

    \b
    Example:
      search-api --index my.index --port 8000
      curl -F image=@suspicious.jpg -F k=5 http://127.0.0.1:8000/v1/search
      search-api keys add newsroom --index my.index --scopes read,label
    """
    if context.invoked_subcommand is not None:
        return
    settings = load_settings(config, **{name: v for name, v in flags.items() if v is not None})

    import uvicorn

    from indexer.index import Index
    from search_api.app import create_app
    from search_api.logs import log_as_json
    from search_api.memory import stay_flat
    from search_api.protocol import BoundedProtocol
    from search_api.startup import Startup, open_door

    stay_flat()
    with Index.open(settings.index) as index:  # a wrong path is told in one line
        warning = open_door(settings, index)
    click.echo(f"settings: {settings.model_dump_json()}", err=True)
    if warning:
        click.echo(warning, err=True)
    log_as_json()
    app = Startup(create_app(settings))
    try:
        uvicorn.run(
            app,
            host=settings.host,
            port=settings.port,
            http=BoundedProtocol,
            ws="none",
            lifespan="on",
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=settings.shutdown_timeout,
        )
    except SystemExit:
        if app.failure:
            raise app.failure from None
        raise
