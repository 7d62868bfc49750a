// SPDX-License-Identifier: Apache-2.0
// A subject: all flags, now or at a past moment, what is known of it, who serves it; beside another one if wished.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { get } from '../api.ts';
import { asked } from '../board.ts';
import { command, curl } from '../commands.ts';
import { noFilter } from '../frames.ts';
import { clock, short } from '../format.ts';
import { stateAt } from '../past.ts';
import { go, link, place, setParams } from '../router.ts';
import { t } from '../text.ts';
import type { Change, Client, ContextInfo, Fact, History, Valued } from '../types.ts';
import { Age, At, Chip, Copy, Empty, Failed, Name, Reason, Skeleton, Value, useLoad } from '../parts/basics.tsx';
import { Changes } from './flag.tsx';
import { cause, causeOf, useView } from './live.tsx';

function Find({ label, onTake }: { label: string; onTake: (subject: string) => void }) {
  const [text, setText] = useState('');
  return (
    <form class="find" onSubmit={(event) => { event.preventDefault(); if (text.trim()) onTake(text.trim()); }}>
      <input type="search" value={text} aria-label={label} placeholder={t.subject.find} onInput={(event) => setText(event.currentTarget.value)} />
      <button type="submit">{t.subject.open}</button>
    </form>
  );
}

export function SubjectList() {
  const { data, error, reload } = useLoad('contexts', () => get<{ contexts: ContextInfo[] }>('/v1/contexts', { limit: 200 }), 5000);
  const subjects = new Map<string, { contexts: number; watches: number; on: number; flags: number }>();
  for (const context of data?.contexts ?? []) {
    const one = subjects.get(context.subject) ?? { contexts: 0, watches: 0, on: 0, flags: 0 };
    const values = Object.values(context.flags);
    subjects.set(context.subject, { contexts: one.contexts + 1, watches: one.watches + context.watches, on: one.on + values.filter((it) => it.value === true).length, flags: one.flags + values.length });
  }
  return (
    <section class="view">
      <div class="heading"><h1>{t.views.subjects}</h1><span class="grow" /><Find label={t.subject.pick} onTake={(name) => go('subjects', name)} /></div>
      {error && !data && <Failed error={error} retry={reload} />}
      {!data && !error && <Skeleton />}
      {data && !subjects.size && <Empty title={t.live.empty} help={t.live.emptyHelp} code={command('watch', 'ada')} />}
      <ul class="cards">
        {[...subjects].map(([name, one]) => (
          <li key={name}><Name text={name} href={link('subjects', name)} /><span class="muted num">{t.clients.watches(one.watches)}</span><span class="chips" /><span class="num end">{t.live.groupOf(one.flags, one.on)}</span></li>
        ))}
      </ul>
    </section>
  );
}

interface Line { context: string; flag: string; value: Valued | null; time: string | number; cause: string }

const byContext = (a: Line, b: Line): number => (a.context < b.context ? -1 : a.context > b.context ? 1 : a.flag < b.flag ? -1 : 1);

export function SubjectView({ subject }: { subject: string }) {
  const at = place.value.params['at'];
  const other = place.value.params['with'] ?? '';
  const store = useView({ ...noFilter, subject }, 'flag', 1000);
  const version = store.version.value;
  const history = useLoad(`history ${subject}`, () => get<History>('/v1/history', { subject, limit: 1000 }), at ? 0 : 5000);
  const until = at ? Date.parse(at) : 0;
  const changes = history.data?.changes ?? [];
  const past = useMemo(() => (until ? stateAt(changes, subject, until, history.data?.starts) : null), [until, history.data]);
  const lines: Line[] = past
    ? past.map(({ context, change }) => ({ context, flag: change.flag, value: change.to, time: change.time, cause: causeOf(change.cause, change.causeText) }))
    : store.rows.map((row) => ({ context: row.context, flag: row.flag, value: row, time: row.changed, cause: cause(row) }));
  lines.sort(byContext);
  void version;
  const s = t.subject;
  return (
    <section class="view">
      <div class="heading">
        <h1><Name text={subject} /></h1>
        <Chip>{s.contextsOf(new Set(lines.map((line) => line.context)).size)}</Chip>
        {past && <Chip tone="warn">{t.why.at(clock(until))}</Chip>}
        <span class="grow" />
        <Copy text={at ? command('history', subject) : command('watch', subject)} label={t.copyCommand} /><Copy text={curl('GET', `/v1/contexts?subject=${encodeURIComponent(subject)}`)} label={t.copyCurl} />
      </div>
      <Slider changes={changes} at={until} loaded={history.data !== undefined} />
      <div class="columns">
        <section class="panel" aria-label={s.flags}>
          <div class="heading"><h2>{past ? `${s.at} ${clock(until)}` : s.now}</h2><span class="grow" /><Compare other={other} /></div>
          {store.loaded || past ? <Lines subject={subject} lines={lines} at={at} other={other} /> : <Skeleton />}
        </section>
        <div class="side">
          <section class="panel" aria-label={s.since}><h2>{past ? s.since : t.flag.changes}</h2>
            {changes.length ? <Changes withFlag changes={(until ? changes.filter((change) => Date.parse(change.time) > until) : changes).slice(0, 14)} choose={(change) => setParams({ at: change.time })} /> : history.error ? <Failed error={history.error} /> : <p class="muted">{s.noHistory}</p>}
          </section>
          <Facts subject={subject} />
          <ClientsOf subject={subject} />
        </div>
      </div>
    </section>
  );
}

function Slider({ changes, at, loaded }: { changes: Change[]; at: number; loaded: boolean }) {
  const s = t.subject;
  const moments = useMemo(() => [...new Set(changes.map((change) => change.time))].reverse(), [changes]);
  if (!moments.length) return loaded ? <p class="muted">{s.noHistory}</p> : <Skeleton rows={1} />;
  let position = moments.length;
  if (at) position = Math.max(0, moments.findLastIndex((time) => Date.parse(time) <= at));
  const move = (to: number) => setParams({ at: to >= moments.length ? undefined : moments[to] });
  return (
    <div class="slider">
      <span class="muted num">{clock(moments[0]!)}</span>
      <button type="button" class="quiet" aria-label="earlier" disabled={position === 0} onClick={() => move(position - 1)}>◀</button>
      <input type="range" min={0} max={moments.length} value={position} aria-label={s.slider} aria-valuetext={at ? clock(at) : s.now} onInput={(event) => move(Number(event.currentTarget.value))} />
      <button type="button" class="quiet" aria-label="later" disabled={position === moments.length} onClick={() => move(position + 1)}>▶</button>
      <output class="num">{at ? clock(at, true) : s.now}</output>
      {at > 0 && <button type="button" onClick={() => move(moments.length)}>{s.live}</button>}
    </div>
  );
}

function Compare({ other }: { other: string }) {
  const [text, setText] = useState(other);
  useEffect(() => setText(other), [other]);
  return (
    <form class="find" onSubmit={(event) => { event.preventDefault(); setParams({ with: text.trim() }); }}>
      <input type="search" value={text} aria-label={t.subject.compare} placeholder={t.subject.compare} onInput={(event) => { setText(event.currentTarget.value); if (!event.currentTarget.value) setParams({ with: undefined }); }} />
    </form>
  );
}

function Lines({ subject, lines, at, other }: { subject: string; lines: Line[]; at: string | undefined; other: string }) {
  const beside = useLoad(`contexts ${other}`, () => (other ? get<{ contexts: ContextInfo[] }>('/v1/contexts', { subject: other }) : Promise.resolve({ contexts: [] })), other ? 3000 : 0);
  const theirs = beside.data?.contexts[0]?.flags;
  const known = useLoad(`attributes ${subject}`, () => get<{ contexts: ContextInfo[] }>('/v1/contexts', { subject }), 4000);
  const s = t.subject;
  const several = lines.some((line) => line.context !== lines[0]!.context);
  if (!lines.length) return <Empty title={s.empty} help={s.emptyHelp} code={command('history', subject)} />;
  return (
    <table class="plain">
      <thead><tr><th scope="col">{t.columns.flag}</th><th scope="col">{t.columns.value}</th>{other && <th scope="col"><bdi>{other}</bdi></th>}<th scope="col" class="roomy">{t.columns.reason}</th><th scope="col" class="roomy">{t.columns.cause}</th><th scope="col">{t.columns.age}</th><th scope="col"><span class="hidden">{t.why.title}</span></th></tr></thead>
      <tbody>
        {lines.map((line, i) => {
          const head = several && lines[i - 1]?.context !== line.context;
          const differs = other !== '' && JSON.stringify(theirs?.[line.flag]?.value) !== JSON.stringify(line.value?.value);
          return [
            head && <tr key={line.context} class="group"><th scope="rowgroup" colSpan={other ? 7 : 6}><Attributes hash={line.context} context={known.data?.contexts.find((one) => one.hash === line.context)?.context} /></th></tr>,
            <tr key={`${line.context} ${line.flag}`} class={differs ? 'differs' : ''}>
              <td><Name text={line.flag} href={link('flags', line.flag)} /></td>
              <td><Value value={line.value?.value} /></td>
              {other && <td><Value value={theirs?.[line.flag]?.value} /> {differs && <span class="warned" title={s.different}>≠<span class="hidden"> {s.different}</span></span>}</td>}
              <td class="roomy"><Reason reason={line.value?.reason ?? ''} /></td>
              <td class="muted roomy"><bdi>{line.cause}</bdi></td>
              <td class="muted"><Age time={line.time} /></td>
              <td><button type="button" class="quiet" aria-label={t.why.of(subject, line.flag)} onClick={() => { asked.value = { subject, flag: line.flag, context: line.context, ...(at ? { at } : {}) }; }}>{t.why.title}</button></td>
            </tr>,
          ];
        })}
      </tbody>
    </table>
  );
}

/** Which of a subject's contexts: by what it says beside the name, and its hash. */
function Attributes({ hash, context }: { hash: string; context: Record<string, unknown> | undefined }) {
  const told = Object.entries(context ?? {}).filter(([name]) => name !== 'targetingKey');
  return (
    <>
      {t.subject.contexts} <code title={hash}>{short(hash)}</code>{' '}
      {told.map(([name, value]) => <span key={name} class="muted"><bdi>{name}</bdi>: <bdi>{typeof value === 'string' ? value : JSON.stringify(value)}</bdi>{' '}</span>)}
      {context && !told.length && <span class="muted">{t.subject.bare}</span>}
    </>
  );
}

function Facts({ subject }: { subject: string }) {
  const { data, error } = useLoad(`facts ${subject}`, () => get<{ facts: Fact[] }>('/v1/facts', { subject }), 4000);
  return (
    <section class="panel" aria-label={t.subject.facts}>
      <h2>{t.subject.facts}</h2>
      {error && !data && <Failed error={error} />}
      {data && !data.facts.length && <p class="muted">{t.subject.noFacts}</p>}
      <dl class="facts">
        {data?.facts.map((fact) => <div key={fact.fact}><dt><bdi>{fact.fact}</bdi></dt><dd><Value value={fact.value} /> <span class="muted">{t.subject.by} <bdi>{fact.credential}</bdi>, <Age time={fact.time} />{fact.expires && <>, {t.subject.expires} <At time={fact.expires} /></>}</span></dd></div>)}
      </dl>
    </section>
  );
}

function ClientsOf({ subject }: { subject: string }) {
  const { data } = useLoad('clients', () => get<{ clients: Client[] }>('/v1/clients', { limit: 1000 }), 4000);
  const mine = (data?.clients ?? []).filter((client) => client.watches.some((watch) => watch.subject === subject));
  return (
    <section class="panel" aria-label={t.subject.clients}>
      <h2>{t.subject.clients}</h2>
      {data && !mine.length && <p class="muted">{t.subject.noClients}</p>}
      {mine.map((client) => <p key={client.session} class="line"><Chip tone={client.state === 'current' ? 'accent' : 'warn'}>{client.state}</Chip><bdi>{client.client ?? client.channel}</bdi> <span class="muted num">{client.address}</span></p>)}
    </section>
  );
}

