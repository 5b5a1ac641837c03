/** A value that tells who looks at it when it changes. One value a row keeps a change of one from drawing all. */
import { useEffect, useReducer, useRef } from 'preact/hooks';

export class Value<T> {
  #current: T;
  readonly #watchers = new Set<() => void>();

  constructor(initial: T) {
    this.#current = initial;
  }

  get(): T {
    return this.#current;
  }

  set(next: T): void {
    if (Object.is(next, this.#current)) return;
    this.#current = next;
    for (const watch of [...this.#watchers]) watch();
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }
}

export function useValue<T>(value: Value<T>): T {
  return useSelected(value, same);
}

/** Draws anew only when what is selected changes. */
export function useSelected<T, S>(value: Value<T>, select: (current: T) => S): S {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const selected = select(value.get());
  const shown = useRef({ select, selected });
  shown.current = { select, selected };
  useEffect(() => {
    const look = () => {
      if (!Object.is(shown.current.select(value.get()), shown.current.selected)) redraw(0);
    };
    // It may have changed between drawing and now.
    look();
    return value.watch(look);
  }, [value]);
  return selected;
}

function same<T>(value: T): T {
  return value;
}
