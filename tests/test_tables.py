"""What is printed is what was found, whatever names other people gave their files."""

import pytest

from indexer.cli.options import printable
from indexer.cli.tables import print_answer, print_facts
from indexer.index import Answer, Hit
from indexer.index.search import Candidate, Conclusion


def test_names_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    hit = Hit("ab" * 32, "/x/[red]a.jpg", "fake", "[bold]", None, 0.5, None, None, None)
    answer = Answer(
        query_sha256="cd" * 32,
        generation=1,
        checkpoint={},
        score=None,
        probability_fake=None,
        conclusion=Conclusion("inconclusive", "[/b] fits", 0.05),
        families=[Candidate("[bold]", 0.5, 0.5)],
        hits=[hit],
        missing={"false_match_rate": "needs [two] images"},
    )
    print_answer(answer)
    printed = capsys.readouterr().out
    assert "inconclusive: [/b] fits" in printed
    assert "could be [bold] (p = 0.50)" in printed
    assert "x/[red]a.jpg" in printed
    assert "no false_match_rate: needs [two] images" in printed


def test_names_command_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts({"name": "\x1b[31mred\x9b2J [bold]ünü"})
    assert "\\x1b[31mred\\x9b2J [bold]ünü" in capsys.readouterr().out
    assert printable("a\nb\r\x07") == "a\\nb\\r\\x07"
