// Metrics in the text format of Prometheus, each family as the one number that a plot shows.
const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** [{name, help, type, samples: [{suffix, labels, value}]}]; the buckets of histograms are left out. */
export function parseMetrics(text) {
  const families = [];
  for (const line of text.split("\n")) {
    const [mark, word, name, ...rest] = line.split(" ");
    if (mark === "#" && word === "HELP")
      families.push({ name, help: rest.join(" "), type: "untyped", samples: [] });
    else if (mark === "#" && word === "TYPE" && families.at(-1)?.name === name)
      families.at(-1).type = rest[0];
    else if (mark !== "#" && families.length) addSample(families.at(-1), line);
  }
  // Of a gauge that has none, all are 0.
  return families.filter(
    ({ name, type, samples }) => (samples.length || type === "gauge") && !/_(info|created)$/.test(name),
  );
}

function addSample(family, line) {
  const found = SAMPLE.exec(line);
  if (!found?.[1].startsWith(family.name)) return;
  const suffix = found[1].slice(family.name.length);
  if (suffix === "_bucket" || suffix === "_created") return;
  const labels = Object.fromEntries(
    [...(found[2] ?? "").matchAll(LABEL)].map(([, name, value]) => [name, value]),
  );
  family.samples.push({ suffix, labels, value: Number(found[3]) });
}

export const sum = (family, suffix) =>
  family.samples.reduce(
    (all, sample) => (suffix === undefined || sample.suffix === suffix ? all + sample.value : all),
    0,
  );

/** What is shown: of a counter its change per second, of a histogram the mean of what is new, else the value. */
export function toFigure(family, before, seconds) {
  if (family.type === "counter") {
    return { unit: "/s", value: before ? Math.max(0, (sum(family) - sum(before)) / seconds) : null };
  }
  if (family.type !== "histogram" && family.type !== "summary") return { unit: "", value: sum(family) };
  const from = before ?? { samples: [] };
  const count = sum(family, "_count") - sum(from, "_count");
  const mean = count > 0 ? (sum(family, "_sum") - sum(from, "_sum")) / count : null;
  return { unit: "mean", value: mean };
}
