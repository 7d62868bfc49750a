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
  const window = globalThis as Target & { document?: Target };
  const { document } = window;
  const seen = (): void => {
    if (document?.visibilityState !== 'hidden') wake();
  };
  const targets: [Target | undefined, string][] = [[window, 'online'], [window, 'pageshow'], [document, 'visibilitychange']];
  for (const [target, type] of targets) target?.addEventListener?.(type, seen);
  return () => {
    for (const [target, type] of targets) target?.removeEventListener?.(type, seen);
  };
}
