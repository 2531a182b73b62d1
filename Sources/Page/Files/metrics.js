// Reads Prometheus text, and keeps the last minutes of what is measured.

const labelValue = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const unescaped = { "\\\\": "\\", '\\"': '"', "\\n": "\n" };

/** One reading of `/metrics`. */
export class Reading {
  constructor(text, time) {
    this.time = time;
    this.samples = new Map();
    for (const line of text.split("\n")) {
      const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (!found || found[1].endsWith("_bucket")) continue;
      const labels = {};
      for (const [, key, value] of (found[2] ?? "").matchAll(labelValue)) {
        labels[key] = value.replace(/\\[\\"n]/g, (each) => unescaped[each]);
      }
      if (!this.samples.has(found[1])) this.samples.set(found[1], []);
      this.samples.get(found[1]).push({ labels, value: Number(found[3]) });
    }
  }

  all(name) {
    return this.samples.get(`varve_${name}`) ?? [];
  }

  /** The sum over all samples with these labels. */
  sum(name, labels = {}) {
    const wanted = Object.entries(labels);
    return this.all(name).reduce((sum, sample) =>
      wanted.every(([key, value]) => sample.labels[key] === value) ? sum + sample.value : sum, 0);
  }

  max(name) {
    return this.all(name).reduce((most, sample) => Math.max(most, sample.value), 0);
  }
}

/** What a counter, or a ratio of two, did between two readings; `null` where it was set back, as by a restart. */
export function rate(now, before, of) {
  if (!before) return null;
  const [rise, seconds] = [of(now) - of(before), (now.time - before.time) / 1000];
  return rise < 0 || seconds <= 0 ? null : rise / seconds;
}
