"""Settings by flag, environment and file; the command and its refusals."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexer.errors import UsageError
from search_api.cli import main, search_api
from search_api.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LINEUP_{name.upper()}", raising=False)


def test_flag_before_environment_before_file_before_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = tmp_path / "lineup.toml"
    toml.write_text('index = "from-file"\nport = 1\nmax_queue = 2\nhost = "::1"\n')
    monkeypatch.setenv("LINEUP_PORT", "3")
    monkeypatch.setenv("LINEUP_MAX_QUEUE", "4")
    settings = load_settings(toml, port="5")
    assert settings.model_dump() == {
        **Settings(index="from-file").model_dump(),
        "host": "::1",
        "port": 5,
        "max_queue": 4,
    }


@pytest.mark.parametrize(
    ("toml", "flags", "found"),
    [
        ("", {}, "index: Field required"),
        ('index = "x"\nprot = 1\n', {}, "prot: Extra inputs are not permitted"),
        ("", {"index": "x", "port": "70000"}, "port: Input should be less than or equal to 65535"),
        ("", {"index": "x", "max_queue": "0"}, "max_queue: Input should be greater"),
    ],
)
def test_wrong_settings_are_named(
    tmp_path: Path, toml: str, flags: dict[str, str], found: str
) -> None:
    (tmp_path / "lineup.toml").write_text(toml)
    with pytest.raises(UsageError, match=found):
        load_settings(tmp_path / "lineup.toml", **flags)


def test_help_names_every_setting_and_shows_an_example() -> None:
    result = CliRunner().invoke(search_api, ["--help"])
    assert result.exit_code == 0
    assert "search-api --index my.index" in result.output.split("Example:")[1]
    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')}" in result.output
        assert f"LINEUP_{name.upper()}" in result.output


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        ([], 2, "error: settings: index: Field required; see search-api --help"),
        (["--index", "nowhere"], 1, "error: nowhere is not an index"),
    ],
)
def test_a_refusal_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    line: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["search-api", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    printed = capsys.readouterr()
    assert exit_.value.code == code
    assert printed.out == ""
    assert printed.err.startswith(line)
    assert printed.err.count("\n") == 1
