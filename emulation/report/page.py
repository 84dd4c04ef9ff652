"""The report: one HTML file that asks for nothing outside of itself."""

from collections.abc import Sequence

from emulation.report.figures import Figures
from emulation.report.look import SCRIPT, STYLE
from emulation.report.markup import Markup, element
from emulation.report.measurements import Measurements
from emulation.report.saturation import bottlenecks
from emulation.report.sections import (
    comparison,
    interactions,
    overview,
    replicas,
    resources,
    traffic,
)
from emulation.report.thresholds import Verdict
from servient.version import VERSION

# No script but ours, no picture, no font, no request: a browser holds the page to it.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
LINKS = ("summary", "topology", "interactions", "traffic", "resources", "replicas")


def page(
    runs: Sequence[tuple[Measurements, Figures]], verdicts: Sequence[Sequence[Verdict]]
) -> str:
    """`verdicts` are those on each run, in the same order."""
    title = "Emulation: " + ", ".join(run.label for run, _ in runs)
    head = element(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        Markup('<link rel="icon" href="data:,">'),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    parts = [comparison.section_of(runs)] if len(runs) > 1 else []
    parts += [_run(*run, judged) for run, judged in zip(runs, verdicts, strict=True)]
    foot = element("footer", element("p", f"Written by wasm-servient {VERSION}.", class_="empty"))
    body = element("body", parts, foot, element("script", Markup(SCRIPT)))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _run(run: Measurements, figures: Figures, verdicts: Sequence[Verdict]) -> Markup:
    parts = (
        overview.summary(run, figures),
        overview.thresholds(verdicts),
        overview.description(run),
        interactions.section_of(run, figures),
        traffic.section_of(run, figures),
        resources.section_of(run, figures),
        replicas.section_of(run, figures),
    )
    return element(
        "main",
        element("h1", f"{run.description.name}: {run.label}"),
        overview.banner(bottlenecks(run)),
        element(
            "nav", [element("a", name.capitalize(), href=f"#{run.prefix}{name}") for name in LINKS]
        ),
        parts,
        class_="run",
    )
