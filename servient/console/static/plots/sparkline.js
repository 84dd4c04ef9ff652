// A small plot of the last numbers, without axes.
import { html, useEffect, useRef } from "../libraries/preact.js";
import { toNumber } from "../core/format.js";

const WIDTH = 120;
const HEIGHT = 28;

/** `version` changes with the points, which do not change themselves. */
export function Sparkline({ points, version, label }) {
  const canvas = useRef(null);
  useEffect(() => draw(canvas.current, points), [points, version]);
  return html`<canvas ref=${canvas} class="sparkline" role="img" aria-label=${toWords(points, label)}></canvas>`;
}

function toWords(points, label) {
  if (points.length === 0) return `${label}: no values yet`;
  const { least, most } = range(points);
  return `${label}: ${toNumber(points.at(-1).value)}, between ${toNumber(least)} and ${toNumber(most)}`;
}

export function range(points) {
  let least = Infinity;
  let most = -Infinity;
  for (const { value } of points) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}

function draw(canvas, points) {
  const scale = devicePixelRatio || 1;
  canvas.width = WIDTH * scale;
  canvas.height = HEIGHT * scale;
  if (points.length === 0) return;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  const { least, most } = range(points);
  const step = WIDTH / Math.max(1, points.length - 1);
  const y = (value) =>
    most === least ? HEIGHT / 2 : HEIGHT - 3 - ((value - least) / (most - least)) * (HEIGHT - 6);
  context.strokeStyle = getComputedStyle(canvas).color;
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.beginPath();
  points.forEach(({ value }, index) => context.lineTo(index * step, y(value)));
  context.stroke();
  context.fillStyle = context.strokeStyle;
  context.beginPath();
  context.arc(Math.min((points.length - 1) * step, WIDTH - 2.5), y(points.at(-1).value), 2.5, 0, 7);
  context.fill();
}
