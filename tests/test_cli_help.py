"""Every command says what it does, with an example."""

import pytest
from click.testing import CliRunner

from indexer.cli import COMMANDS, indexer


def test_commands_are_told_in_one_voice() -> None:
    """The list of the group's help is the first line of each command's own help."""
    for name, line in COMMANDS.items():
        command = indexer.get_command(None, name)
        assert command is not None
        assert command.help is not None
        assert command.help.splitlines()[0] == line


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "model"])
def test_help_shows_an_example(name: str) -> None:
    result = CliRunner().invoke(indexer, [name, "--help"])
    assert result.exit_code == 0
    assert f"indexer {name}" in result.output.split("Example:")[1]
