import re
import sys

import pytest
from planted import held_out, planted

from indexer.calibration import Annotations, fit_calibration
from indexer.errors import MissingExtra
from indexer.evaluation import Evaluation, evaluate
from indexer.evaluation.report import report_html


def evaluation(gallery) -> Evaluation:
    return evaluate(
        held_out(gallery),
        Annotations.of(gallery.labels, gallery.families, gallery.sources),
        calibration=fit_calibration(
            held_out(gallery), gallery.labels, gallery.families, gallery.sources, gallery.scores
        ),
        scores=gallery.scores,
    )


def test_the_page_stands_alone_and_shows_every_plot(tmp_path):
    pytest.importorskip("plotly")
    gallery = planted(0)
    gallery.families[:] = [name and name.replace("f0", "<f0>") for name in gallery.families]
    found = evaluation(gallery)
    report_html(found, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    head, body = page.split("<body>")
    assert len(re.findall(r"Plotly\.newPlot", body)) == 4
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=", page)
    assert "<td>&lt;f0&gt;</td>" in body
    assert f"{found.family.map.value:.2f} [" in body
    assert len(head) > 1_000_000  # the plotting script is inside


def test_a_poor_gallery_gives_a_page_too(tmp_path):
    pytest.importorskip("plotly")
    report_html(evaluation(planted(1, families=1, members=3, reals=3)), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert page.count("There is nothing to draw.") == 2
    assert "No likelihood ratio: the gallery has too few labelled families." in page


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    found = evaluation(planted(2, families=2, members=6, reals=6))
    with pytest.raises(MissingExtra, match=r"lineup\[evaluate\]"):
        report_html(found, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
