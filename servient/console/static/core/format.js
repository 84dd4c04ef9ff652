// Sizes, times and values in words.
import { toJson } from "./json.js";

const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function toSize(bytes) {
  let value = Number(bytes) || 0;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function toDuration(ms) {
  if (!Number.isFinite(ms)) return "";
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

export function toTime(when) {
  const date = new Date(when);
  if (Number.isNaN(date.getTime())) return "";
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? TIME.format(date) : `${DAY.format(date)}, ${TIME.format(date)}`;
}

export const toNumber = (value) =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));

export const toCount = (count, noun) => `${count} ${noun}${count === 1 ? "" : noun.endsWith("y") ? "" : "s"}`;

/** JSON on one line, no longer than that. */
export function toLine(value, limit = 200) {
  const text = typeof value === "string" ? value : (toJson(value) ?? "");
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}
