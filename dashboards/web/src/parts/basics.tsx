// SPDX-License-Identifier: Apache-2.0
// Small things that every view uses: values, ages, chips, empty and failed states, copying.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { feed } from '../board.ts';
import { age, clock, iso, showValue, toneOf } from '../format.ts';
import { t } from '../text.ts';

/** The service's time, moved on once a second: ages are told by its clock. */
export const now = signal(Date.now());
setInterval(() => { now.value = Date.now() + feed.skew.value; }, 1000);

export function Age({ time }: { time: number | string }) {
  const at = typeof time === 'number' ? time : Date.parse(time);
  if (!at) return <span class="muted">–</span>;
  return <time class="num" dateTime={iso(at)} title={clock(at, true)}>{age(now.value - at)}</time>;
}

export function At({ time, ms }: { time: number | string; ms?: boolean }) {
  return <time class="num" dateTime={iso(time)} title={iso(time)}>{clock(time, ms)}</time>;
}

/** Never by colour alone: the word stands there. */
export function Value({ value, faded }: { value: unknown; faded?: boolean }) {
  const text = showValue(value);
  return <bdi class={`value ${toneOf(value)}${faded ? ' faded' : ''}`} title={text}>{text}</bdi>;
}

const troubled = new Set(['ERROR', 'STALE', 'DISABLED']);

export function Reason({ reason, error }: { reason: string; error?: string | null }) {
  const plain = reason.toLowerCase().replaceAll('_', ' ');
  return <span class={`reason${troubled.has(reason) || error ? ' trouble' : ''}`} title={error ?? reason}>{plain}</span>;
}

export function Chip({ tone = '', title, children }: { tone?: string; title?: string; children: ComponentChildren }) {
  return <span class={`chip ${tone}`} title={title}>{children}</span>;
}

/** Foreign text: its direction and its length are its own. */
export function Name({ text, href }: { text: string; href?: string }) {
  return href ? <a class="name" href={href} title={text}><bdi>{text}</bdi></a> : <bdi class="name" title={text}>{text}</bdi>;
}

export function Copy({ text, label }: { text: string; label: { show: string; say: string } }) {
  const [done, setDone] = useState(false);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    await navigator.clipboard?.writeText(text).catch(() => undefined);
    setDone(true);
    timer.current = window.setTimeout(() => setDone(false), 1500);
  };
  return <button type="button" class="quiet copy" title={`${label.say}: ${text}`} aria-label={done ? t.copied : label.say} onClick={copy}><svg viewBox="0 0 12 12" aria-hidden="true"><path d="M4 4V1.5h6.5V8H8M1.5 4H8v6.5H1.5z" /></svg> {done ? t.copied : label.show}</button>;
}

export function Empty({ title, help, code }: { title: string; help?: string; code?: string }) {
  return (
    <div class="empty">
      <p class="lead">{title}</p>
      {help && <p class="muted">{help}</p>}
      {code && <p class="command"><code>{code}</code><Copy text={code} label={t.copy} /></p>}
    </div>
  );
}

export function Failed({ error, retry }: { error: Error; retry?: () => void }) {
  return (
    <div class="empty" role="alert">
      <p class="lead">{t.error.title}</p>
      <p class="muted">{error.message}</p>
      {retry && <p><button type="button" onClick={retry}>{t.retry}</button></p>}
    </div>
  );
}

export function Skeleton({ rows = 8 }: { rows?: number }) {
  return (
    <div class="skeleton" aria-busy="true">
      <span class="hidden">{t.loading}</span>
      {Array.from({ length: rows }, (_, i) => <i key={i} style={{ width: `${90 - ((i * 37) % 50)}%` }} />)}
    </div>
  );
}

export function Json({ value }: { value: unknown }) { return <pre class="json" tabIndex={0}>{JSON.stringify(value, null, 2)}</pre>; }

export interface Loaded<T> { data: T | undefined; error: Error | undefined; reload: () => void }

/** Loads when `key` changes, and again every `each` ms; keeps showing the last while it does. */
export function useLoad<T>(key: string, load: () => Promise<T>, each = 0): Loaded<T> {
  const [state, set] = useState<{ key: string; data?: T; error?: Error }>({ key });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let live = true;
    let timer = 0;
    const run = async () => {
      try {
        const data = await load();
        if (live) set({ key, data });
      } catch (error) {
        if (live) set((old) => ({ ...(old.key === key ? old : {}), key, error: error as Error }));
      }
      if (live && each) timer = window.setTimeout(run, each);
    };
    void run();
    return () => { live = false; clearTimeout(timer); };
  }, [key, turn, each]);
  const fits = state.key === key;
  return { data: fits ? state.data : undefined, error: fits ? state.error : undefined, reload: () => setTurn(turn + 1) };
}
