// SPDX-License-Identifier: Apache-2.0
// Events: what came in and what it set off, live and past; and sending one, first without effect.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call, get, may, session } from '../api.ts';
import { feed, triggering } from '../board.ts';
import { command, curl } from '../commands.ts';
import type { EntryLine } from '../frames.ts';
import { linkWith, link, place, setParams } from '../router.ts';
import { t } from '../text.ts';
import type { Dry, Receipt } from '../types.ts';
import { At, Chip, Copy, Empty, Failed, Name, Skeleton, useLoad } from '../parts/basics.tsx';
import { Blast } from '../parts/blast.tsx';
import { ReceiptView } from '../parts/receipt.tsx';

const KINDS = ['', 'event', 'override', 'config', 'source'];
const KEPT = 1000;
const TYPE = 'application/cloudevents+json';

function cloudEvent(type: string, data: object, subject?: string): Record<string, unknown> {
  return { specversion: '1.0', id: crypto.randomUUID(), source: '/flagstaff/board', type, ...(subject ? { subject } : {}), data };
}

export function recompute(data: Record<string, string[]>): { body: unknown; type: string } {
  return { body: cloudEvent('flagstaff.recompute', data), type: TYPE };
}

/** The journal's entries, the latest first: a page, what comes while one looks, and older ones when asked for. */
function useEntries(kind: string) {
  const [list, setList] = useState<EntryLine[]>([]);
  const [next, setNext] = useState<number | undefined>();
  const first = useLoad(`entries ${kind}`, () => get<{ entries: EntryLine[]; next?: number }>('/v1/entries', { kind, limit: 100 }));
  useEffect(() => {
    if (!first.data) return;
    setList(first.data.entries);
    setNext(first.data.next);
  }, [first.data]);
  useEffect(() => feed.entries((more) => setList((old) => {
    const told = new Map(more.filter((one) => !kind || one.kind === kind).map((one) => [one.entry, one])); // again, when it has set off more
    const kept = old.map((one) => { const now = told.get(one.entry); told.delete(one.entry); return now ?? one; });
    return [...[...told.values()].sort((a, b) => b.entry - a.entry), ...kept].slice(0, KEPT);
  })), [kind]);
  const older = async () => {
    const page = await get<{ entries: EntryLine[]; next?: number }>('/v1/entries', { kind, limit: 100, before: next });
    setList((old) => [...old, ...page.entries]);
    setNext(page.next);
  };
  return { list, first, older: next === undefined ? undefined : older };
}

export function Events() {
  const kind = place.value.params['kind'] ?? '';
  const chosen = Number(place.value.params['entry'] ?? 0);
  const { list, first, older } = useEntries(kind);
  const e = t.events;
  return (
    <section class="view" aria-label={e.title}>
      <div class="heading"><h1>{e.title}</h1>
        {KINDS.map((name) => <button key={name} type="button" class={`tab${kind === name ? ' on' : ''}`} aria-pressed={kind === name} onClick={() => setParams({ kind: name })}>{name || e.all}</button>)}
        <span class="grow" /><Copy text={curl('GET', '/v1/entries')} label={t.copyCurl} /></div>
      <div class="columns">
        <section class="panel" aria-label={e.list}>
          {first.error && !list.length && <Failed error={first.error} retry={first.reload} />}
          {!first.data && !first.error && !list.length && <Skeleton />}
          {first.data && !list.length && <Empty title={e.empty} help={e.emptyHelp} code={command('trigger', '--subject', 'ada', '--fact', 'risk=5')} />}
          <ol class="entries">
            {list.map((one) => (
              <li key={one.entry} class={one.entry === chosen ? 'chosen' : ''}>
                <a class="num number" href={linkWith(['events'], { kind, entry: String(one.entry) })} aria-current={one.entry === chosen ? 'true' : undefined}>{one.entry}</a>
                <span class="muted when"><At time={one.time} /></span>
                <span class="what"><Chip tone={one.kind === 'override' ? 'bad' : ''}>{one.kind}</Chip> <bdi>{one.summary || one.type || one.kind}</bdi></span>
                <span class="who2">{one.subject && <Name text={one.subject} href={link('subjects', one.subject)} />} <span class="muted"><bdi>{one.author ?? one.source ?? one.credential ?? ''}</bdi></span></span>
                <span class={`num flips${one.flips ? '' : ' muted'}`}>{e.flips(one.flips ?? 0)}</span>
              </li>
            ))}
          </ol>
          {older && <p class="buttons"><button type="button" onClick={older}>{e.older}</button></p>}
        </section>
        <div class="side">
          <section class="panel" aria-label={e.outcome}><h2>{e.outcome}</h2>{chosen ? <><p class="muted">{e.sent(chosen)}</p><ReceiptView key={chosen} entry={chosen} /></> : <p class="muted">{e.select}</p>}</section>
          <Trigger />
        </div>
      </div>
    </section>
  );
}

type Kind = 'recompute' | 'facts' | 'other';
interface Form { kind: Kind; subject: string; flag: string; source: string; fact: string; value: string; ttl: string; body: string }
const SAMPLE = JSON.stringify({ specversion: '1.0', id: '1', source: '/me', type: 'com.example.changed', subject: 'ada', data: {} }, null, 2);

function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function eventOf(form: Form): unknown {
  if (form.kind === 'other') return JSON.parse(form.body);
  if (form.kind === 'facts') return cloudEvent('flagstaff.facts', { facts: { [form.fact]: readValue(form.value) }, ...(form.ttl ? { ttl: form.ttl } : {}) }, form.subject);
  const narrow = (name: string, value: string) => (value ? { [name]: [value] } : {});
  return cloudEvent('flagstaff.recompute', { ...narrow('subjects', form.subject), ...narrow('flags', form.flag), ...narrow('sources', form.source) });
}

function wordsOf(form: Form): string[] {
  const named = (name: string, value: string) => (value ? [name, value] : []);
  if (form.kind === 'facts') return ['trigger', ...named('--subject', form.subject), '--fact', `${form.fact}=${form.value}`, ...named('--ttl', form.ttl)];
  return ['trigger', ...named('--subject', form.subject), ...named('--flag', form.flag), ...named('--source', form.source)];
}

function Trigger() {
  const [form, setForm] = useState<Form>({ kind: 'facts', subject: place.value.params['subject'] ?? '', flag: '', source: '', fact: 'risk', value: '90', ttl: '', body: SAMPLE });
  const [dry, setDry] = useState<Dry | null>(null);
  const [blind, setBlind] = useState(false); // this service tries no events out: said, then sent without
  const [entry, setEntry] = useState(0);
  const [error, setError] = useState('');
  const set = (name: keyof Form) => (event: Event) => { setForm({ ...form, [name]: (event.currentTarget as HTMLInputElement).value }); setDry(null); setBlind(false); };
  const send = async (real: boolean) => {
    setError('');
    try {
      const event = eventOf(form);
      if (real) {
        setEntry((await call<Receipt>('POST', '/v1/events?wait=applied', event, TYPE)).entry);
        setDry(null);
        setBlind(false);
      } else setDry(await call<Dry>('POST', '/v1/events?dry_run=true', event, TYPE));
    } catch (failure) {
      if (!real && failure instanceof ApiError && failure.status === 404) setBlind(true);
      else setError(failure instanceof SyntaxError ? t.events.badJson : (failure as Error).message);
    }
  };
  const at = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (!triggering.value) return;
    triggering.value = false;
    at.current?.querySelector<HTMLElement>('input, textarea')?.focus();
  }, [triggering.value]);
  const e = t.events;
  const field = (name: 'subject' | 'flag' | 'source' | 'fact' | 'value' | 'ttl', required = false) =>
    <label><span>{e[name]}</span><input value={form[name]} required={required} placeholder={name === 'ttl' ? e.forever : ''} onInput={set(name)} /></label>;
  const ready = form.kind !== 'facts' || (form.subject !== '' && form.fact !== '');
  return (
    <section class="panel" aria-label={e.trigger}>
      <h2>{e.trigger}</h2>
      <form ref={at} class="form" onSubmit={(event) => { event.preventDefault(); void send(dry !== null || blind); }}>
        <label><span>{e.kind}</span><select value={form.kind} onChange={set('kind')}><option value="facts">{e.facts}</option><option value="recompute">{e.recompute}</option><option value="other">{e.other}</option></select></label>
        {form.kind === 'facts' && <div class="pair">{field('subject', true)}{field('fact', true)}{field('value')}{field('ttl')}</div>}
        {form.kind === 'recompute' && <div class="pair">{field('subject')}{field('flag')}{field('source')}</div>}
        {form.kind === 'other' && <label><span>{e.body}</span><textarea rows={8} spellcheck={false} value={form.body} onInput={set('body')} /></label>}
        {dry && <section class="before" aria-live="polite"><h3>{e.would}</h3><Blast dry={dry} withFlag /></section>}
        {blind && <p class="warned" role="status">{e.blind}</p>}
        {error && <p class="bad" role="alert">{error}</p>}
        {entry > 0 && <ReceiptView key={entry} entry={entry} />}
        {session.value && !may('operate') && <p class="warned">{t.act.readOnly}</p>}
        <p class="buttons">
          {form.kind !== 'other' && <Copy text={command(...wordsOf(form))} label={t.copyCommand} />}<span class="grow" />
          <button type="button" disabled={!ready} onClick={() => void send(false)}>{e.dry}</button>
          <button type="button" class="primary" disabled={!ready || !(dry || blind) || !may('operate')} onClick={() => void send(true)}>{e.fire}</button>
        </p>
      </form>
    </section>
  );
}
