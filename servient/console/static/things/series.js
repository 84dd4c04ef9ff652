// The last numbers of a property, for a plot.
const LIMIT = 240;

export class Series {
  #points = [];

  get points() {
    return this.#points;
  }

  get last() {
    return this.#points.at(-1);
  }

  push(at, value) {
    this.#points.push({ at, value });
    if (this.#points.length > LIMIT) this.#points.splice(0, this.#points.length - LIMIT);
  }
}
