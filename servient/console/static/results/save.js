// Keep something as a file on this machine.
import { toJson } from "../core/json.js";

export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

export const saveJson = (value, name) =>
  save(new Blob([`${toJson(value, 2)}\n`], { type: "application/json" }), name);
