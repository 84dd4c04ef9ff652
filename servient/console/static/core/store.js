// A value that tells who listens when it changes, and how a component listens.
import { useEffect, useReducer } from "../libraries/preact.js";

export class Store {
  #value;
  #listeners = new Set();

  constructor(value) {
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  set(value) {
    if (value === this.#value) return;
    this.#value = value;
    this.tell();
  }

  tell() {
    for (const listener of [...this.#listeners]) listener(this.#value);
  }

  /** Returns what ends it. */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The store's value; the component is drawn again when it changes. */
export function useStore(store) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const drawn = store.value;
  useEffect(() => {
    if (store.value !== drawn) redraw(); // it changed before we listened
    return store.listen(redraw);
  }, [store]);
  return drawn;
}
