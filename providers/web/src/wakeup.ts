// SPDX-License-Identifier: Apache-2.0
// Moments at which a page should look at once whether its connection still lives: it is seen again, it comes back from the
// back/forward cache, the network is back. Timers may have stood still until then. Outside of browsers there are none.

interface Target {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
  visibilityState?: string;
}

/** Calls `wake` at each such moment, until the function that it returns is called. */
export function onWakeup(wake: () => void): () => void {
  const page = globalThis as Target & { document?: Target };
  const seen = (): void => {
    if (page.document?.visibilityState === 'visible') wake();
  };
  page.addEventListener?.('online', wake);
  page.addEventListener?.('pageshow', wake);
  page.document?.addEventListener?.('visibilitychange', seen);
  return () => {
    page.removeEventListener?.('online', wake);
    page.removeEventListener?.('pageshow', wake);
    page.document?.removeEventListener?.('visibilitychange', seen);
  };
}
