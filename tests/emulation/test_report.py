"""A report's figures, its verdicts, its one file, and what a browser makes of that."""

import csv
import html
import json
import re
from pathlib import Path

import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from emulation.cli import cli
from emulation.metrics.export import Format, export
from emulation.metrics.tables import UnknownMetricsFile
from emulation.report.report import make_report
from emulation.report.thresholds import InvalidThreshold, parse_threshold
from tests.emulation.browser import open_page
from tests.emulation.runs import HOSTILE, SECONDS, write_run
from tests.tools import needs

SECTIONS = ("Summary", "Topology", "Interactions", "Networks", "Processors and memory", "Replicas")


def test_figures_are_those_that_were_recorded(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    [found] = make_report([tmp_path / "run"]).documents()
    assert (found["calls"]["calls"], found["calls"]["errors"]) == (200, 5)
    http, coap = found["byProtocol"]["http"], found["byProtocol"]["coap"]
    assert (http["calls"], http["errors"], coap["calls"], coap["errors"]) == (100, 0, 100, 5)
    assert http["p50"] == pytest.approx(0.0505)
    assert http["p95"] == pytest.approx(0.09505)
    assert http["maximum"] == pytest.approx(0.1)
    assert http["handler"] == pytest.approx(0.001)
    assert http["network"] == pytest.approx(0.0495)
    assert coap["maximum"] == pytest.approx(0.19)  # of those that succeeded
    assert found["ties"] == {
        "by_trace": 200,
        "by_time": 0,
        "calls": 200,
        "heard": 40,
        "events": 40,
    }
    assert found["deliveries"] == {
        "events": 40,
        "tied": 40,
        "mean": pytest.approx(0.0195, rel=1e-4),
        "p50": pytest.approx(0.0195, rel=1e-4),
        "p95": pytest.approx(0.03705, rel=1e-4),
        "maximum": pytest.approx(0.039, rel=1e-4),
    }
    assert (found["events"], found["subscriptions"]["begun"]) == (40, 1)
    [wifi] = found["networks"]
    assert (wifi["packets"], wifi["data_bytes"], wifi["dropped"]) == (300, 300_000, 10)
    assert wifi["utilisation"] == pytest.approx(300_000 * 8 / SECONDS / 1e6)
    assert wifi["dropShare"] == pytest.approx(10 / 310)
    assert found["crashes"] == 1
    assert found["bottlenecks"] == []


def test_what_the_page_says_is_what_was_recorded(tmp_path: Path) -> None:
    """In tables that need no script."""
    write_run(tmp_path / "run")
    page = make_report([tmp_path / "run"]).html()
    for title in SECTIONS:
        assert f"<h2>{title}</h2>" in page
    rows = [
        tuple(html.unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall("<td.*?</td>", row))
        for row in re.findall("<tr>.*?</tr>", page)
    ]
    assert any(
        row[:7] == ("http", "100", "0", "0 %", "50.5 ms", "50.5 ms", "90.1 ms") for row in rows
    )
    assert any(row[:4] == ("coap", "100", "5", "5 %") for row in rows)
    assert any(row[:3] == ("wifi", "300", "300 kB") for row in rows)
    assert ("5", "coap", "level", HOSTILE, "reader") in rows
    assert ("wifi", "server", "reader", "loss", "10") in rows


def test_nothing_that_was_recorded_becomes_markup(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    page = make_report([tmp_path / "run"]).html()
    assert "<script>alert" not in page
    assert html.escape(HOSTILE) in page


def test_the_page_names_nothing_outside_of_itself(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    page = make_report([tmp_path / "run"]).html()
    assert not re.findall(r'(?:src|href|action|data)="(?!#|data:)[^"]*"', page)
    assert not re.findall(r"@import|url\(|fetch\(|XMLHttpRequest|import\(", page)


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("errors <= 3%", True),
        ("errors < 2%", False),
        ("http p95 < 100ms", True),
        ("coap p95 < 100ms", False),
        ("Lab/level calls == 200", True),
        ("reader failed == 5", True),
        ("crashes == 0", False),
        ("drops < 5%", True),
        ("memory <= 50MB", True),
        ("mqtt p95 < 1s", False),  # nothing was measured
        ("rate >= 10/s", True),
        ("delivery < 30ms", False),
    ],
)
def test_thresholds(text: str, passed: bool, tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    report = make_report([tmp_path / "run"], [parse_threshold(text)])
    assert report.passed is passed


@pytest.mark.parametrize("text", ["", "p95", "p95 < fast", "p96 < 1s", "http crashes == 0", "<1"])
def test_thresholds_that_make_no_sense(text: str) -> None:
    with pytest.raises(InvalidThreshold):
        parse_threshold(text)


def test_runs_are_compared_with_the_first(tmp_path: Path) -> None:
    write_run(tmp_path / "before")
    write_run(tmp_path / "after", slower=1.5)
    page = make_report([tmp_path / "before", tmp_path / "after"]).html()
    assert "Comparison of 2 runs" in page
    assert "(+50%)" in page
    anchors = re.findall(r' id="([^"]+)"', page)
    assert len(set(anchors)) == len(anchors)


def test_a_busy_host_is_told_of(tmp_path: Path) -> None:
    write_run(tmp_path / "run", host_cpu=0.99)
    report = make_report([tmp_path / "run"])
    assert "The host was the bottleneck" in report.html()
    assert report.documents()[0]["bottlenecks"]


def test_the_command_ends_as_thresholds_do(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    arguments = ["report", str(tmp_path / "run"), "--out", str(tmp_path / "r.html"), "--json"]
    passed = CliRunner().invoke(cli, [*arguments, "--threshold", "errors <= 3%"])
    assert passed.exit_code == 0, passed.output
    assert json.loads(passed.stdout)[0]["calls"]["calls"] == 200
    assert (tmp_path / "r.html").read_text().startswith("<!DOCTYPE html>")
    assert CliRunner().invoke(cli, [*arguments, "--threshold", "errors <= 2%"]).exit_code == 1
    assert CliRunner().invoke(cli, [*arguments, "--threshold", "nonsense"]).exit_code == 2
    assert CliRunner().invoke(cli, ["report", str(tmp_path)]).exit_code == 2


def test_a_file_that_holds_no_metrics_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    (folder.metrics_path / "other.sqlite").write_bytes(b"not a database, by far" * 100)
    with pytest.raises(UnknownMetricsFile, match=r"other\.sqlite"):
        make_report([tmp_path / "run"])


def test_tables_for_other_programs(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    folder.merge()
    export(folder.merged_path, tmp_path / "csv", Format.CSV)
    export(folder.merged_path, tmp_path / "parquet", Format.PARQUET)
    with (tmp_path / "csv" / "interaction.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 400
    assert sum(row["handler_seconds"] == "0.001" for row in rows) == 200
    table = parquet.read_table(tmp_path / "parquet" / "interaction.parquet")
    assert table.num_rows == 400
    assert parquet.read_table(tmp_path / "parquet" / "loss.parquet").num_rows == 0


async def test_a_browser_asks_for_nothing_else(tmp_path: Path) -> None:
    """Chromium opens it without a request beside that for the file, and sorts its tables."""
    program = needs("chromium")
    write_run(tmp_path / "before")
    write_run(tmp_path / "run", host_cpu=0.99)
    file = tmp_path / "report.html"
    file.write_text(make_report([tmp_path / "before", tmp_path / "run"]).html())
    async with open_page(program, tmp_path / "profile") as page:
        await page.open(file)
        asked = [url for url in page.requests if not url.startswith("data:")]
        assert asked == [file.resolve().as_uri()]
        assert page.problems == []
        assert await page.value("document.querySelectorAll('main svg.chart').length") > 20
        first = "document.querySelector('#interactions tbody').rows[0].cells[0].textContent"
        before = await page.value(first)
        await page.value("document.querySelector('#interactions thead').rows[0].cells[4].click()")
        assert await page.value(first) != before or before == "coap"
        width = "document.documentElement.scrollWidth <= innerWidth"
        assert await page.value(width)
        await page.screenshot(tmp_path / "report.png")
    assert (tmp_path / "report.png").stat().st_size > 50_000
