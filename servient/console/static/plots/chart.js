// A plot over time, with axes and a few lines.
import { html, useMemo } from "../libraries/preact.js";
import { toTime } from "../core/format.js";
import { range } from "./sparkline.js";

const WIDTH = 380;
const HEIGHT = 140;
const LEFT = 58;
const BOTTOM = 20;

/** `lines` are [{name, points}], `format` writes a value, `most` is the top of a fixed axis. */
export function Chart({ title, lines, format, most: fixed }) {
  const all = lines.flatMap((line) => line.points);
  const frame = useMemo(() => toFrame(all, fixed), [lines, fixed]);
  const words = lines.map(
    ({ name, points }) => `${name} ${points.length ? format(points.at(-1).value) : "unknown"}`,
  );
  return html`<figure class="card chart">
    <figcaption><h3>${title}</h3><ul class="legend">${lines.map(
      ({ name, points }, index) =>
        html`<li class=${`line-${index}`}>${name} <strong>${points.length ? format(points.at(-1).value) : "–"}</strong></li>`,
    )}</ul></figcaption>
    <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${`${title}: ${words.join(", ")}`}>
      ${
        all.length > 0 &&
        frame.ticks.map(
          (
            tick,
          ) => html`<g key=${tick}><line class="grid" x1=${LEFT} x2=${WIDTH} y1=${frame.y(tick)} y2=${frame.y(tick)} />
          <text x=${LEFT - 6} y=${frame.y(tick) + 4} text-anchor="end">${format(tick)}</text></g>`,
        )
      }
      ${
        all.length > 1 &&
        html`<text x=${LEFT} y=${HEIGHT - 4}>${toTime(frame.from)}</text>
        <text x=${WIDTH} y=${HEIGHT - 4} text-anchor="end">${toTime(frame.to)}</text>`
      }
      ${lines.map(({ points }, index) => html`<${Line} points=${points} frame=${frame} look=${`line-${index}`} />`)}
    </svg>
  </figure>`;
}

function Line({ points, frame, look }) {
  const last = points.at(-1);
  return (
    last &&
    html`<path class=${`line ${look}`} d=${toPath(points, frame)} />
    <circle class=${`last ${look}`} cx=${frame.x(last.at)} cy=${frame.y(last.value)} r="3" />`
  );
}

function toFrame(points, fixed) {
  const { least, most } = points.length ? range(points) : { least: 0, most: 1 };
  const top = fixed ?? (most > 0 ? most * 1.1 : 1);
  const bottom = Math.min(0, least);
  const from = points.length ? Math.min(...points.map(({ at }) => at)) : 0;
  const to = points.length ? Math.max(...points.map(({ at }) => at)) : 1;
  const height = HEIGHT - BOTTOM - 8;
  return {
    from,
    to,
    ticks: [bottom, (bottom + top) / 2, top],
    x: (at) => LEFT + ((at - from) / Math.max(1, to - from)) * (WIDTH - LEFT - 4),
    y: (value) => 8 + height - ((value - bottom) / (top - bottom || 1)) * height,
  };
}

const toPath = (points, frame) =>
  points
    .map(
      ({ at, value }, index) => `${index ? "L" : "M"}${frame.x(at).toFixed(1)} ${frame.y(value).toFixed(1)}`,
    )
    .join("");
