// SPDX-License-Identifier: Apache-2.0
// Moments at which a page should look at once whether its connection still lives: it is seen again, it comes back from the
// back/forward cache, the network is back. Timers may have stood still until then. Outside of browsers there are none.

interface Target {
  addEventListener?(type: string, listener: () => void, options: { signal: AbortSignal }): void;
  visibilityState?: string;
}

/** Calls `wake` at each such moment, until the function that it returns is called. */
export function onWakeup(wake: () => void): () => void {
  const window = globalThis as Target & { document?: Target };
  const { document } = window;
  const seen = (): void => {
    if (document?.visibilityState !== 'hidden') wake();
  };
  const end = new AbortController();
  const { signal } = end;
  window.addEventListener?.('online', seen, { signal });
  window.addEventListener?.('pageshow', seen, { signal });
  document?.addEventListener?.('visibilitychange', seen, { signal });
  return () => end.abort();
}
