// SPDX-License-Identifier: Apache-2.0
// A flag: who has what now, how it flipped, its rules, and what may be done about it.
import { useState } from 'preact/hooks';
import { get, may, session } from '../api.ts';
import { command, curl } from '../commands.ts';
import { noFilter } from '../frames.ts';
import { count } from '../format.ts';
import { link, place, setParams } from '../router.ts';
import { t } from '../text.ts';
import type { Change, FlagInfo, Override } from '../types.ts';
import { Age, At, Chip, Copy, Empty, Failed, Json, Name, Skeleton, Value, useLoad } from '../parts/basics.tsx';
import { FlipPlot } from '../parts/plot.tsx';
import { Rule, ruleOf } from '../parts/rule.tsx';
import { Act, type Verb } from './act.tsx';
import { CellTable, causeOf, useView } from './live.tsx';

function OverrideChips({ overrides }: { overrides: Override[] }) {
  return <>{overrides.map((one) => <Chip key={one.id} tone="bad" title={`${one.reason} · ${one.author}`}>{one.kind === 'kill' ? t.flag.killed : `${t.flag.forced} ${one.variant ?? ''}`}{one.subject ? ` · ${one.subject}` : ''}</Chip>)}</>;
}

const loadOverrides = () => get<{ overrides: Override[] }>('/v1/overrides').catch(() => ({ overrides: [] }));

export function FlagList() {
  const { data, error, reload } = useLoad('flags', () => get<{ flags: FlagInfo[] }>('/v1/flags'), 10_000);
  const overrides = useLoad('overrides', loadOverrides, 5000);
  if (!data) return <section class="view">{error ? <Failed error={error} retry={reload} /> : <Skeleton />}</section>;
  if (!data.flags.length) return <section class="view"><h1>{t.views.flags}</h1><Empty title={t.flag.empty} help={t.flag.emptyHelp} code="flagstaff serve --flags flags.yaml" /></section>;
  return (
    <section class="view">
      <div class="heading"><h1>{t.views.flags}</h1><span class="grow" /><Copy text={command('flags')} label={t.copyCommand} /><Copy text={curl('GET', '/v1/flags')} label={t.copyCurl} /></div>
      <ul class="cards">
        {data.flags.map((flag) => (
          <li key={flag.key}>
            <Name text={flag.key} href={link('flags', flag.key)} />
            <span class="muted">{flag.type}</span>
            <span class="chips">
              <Chip tone={flag.access ? 'accent' : ''}>{flag.access ? t.flag.access : t.flag.ordinary}</Chip>
              {!flag.enabled && <Chip tone="warn">{t.flag.disabled}</Chip>}
              <OverrideChips overrides={(overrides.data?.overrides ?? []).filter((one) => one.flag === flag.key)} />
            </span>
            <span class="muted end">{flag.sources.join(', ') || '–'}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function FlagView({ flag: key }: { flag: string }) {
  const flags = useLoad('flags', () => get<{ flags: FlagInfo[] }>('/v1/flags'), 10_000);
  const overrides = useLoad('overrides', loadOverrides, 2000);
  const [verb, setVerb] = useState<Verb | null>(null);
  if (!flags.data) return <section class="view">{flags.error ? <Failed error={flags.error} retry={flags.reload} /> : <Skeleton />}</section>;
  const flag = flags.data.flags.find((one) => one.key === key);
  if (!flag) return <section class="view"><Empty title={t.flag.unknown(key)} help={t.flag.emptyHelp} code={command('flags')} /></section>;
  const mine = (overrides.data?.overrides ?? []).filter((one) => one.flag === key);
  const close = () => { setVerb(null); overrides.reload(); };
  return (
    <section class="view">
      <div class="heading">
        <h1><Name text={key} /></h1>
        <Chip tone={flag.access ? 'accent' : ''}>{flag.access ? t.flag.access : t.flag.ordinary}</Chip><Chip>{flag.type}</Chip>
        <Chip>{flag.visibility === 'client' ? t.flag.visible.client : t.flag.visible.server}</Chip>
        {!flag.enabled && <Chip tone="warn">{t.flag.disabled}</Chip>}
        <OverrideChips overrides={mine} />
        <span class="grow" />
        {may('operate') ? (
          <>
            {mine.length > 0 && <button type="button" onClick={() => setVerb('release')}>{t.flag.release}</button>}
            <button type="button" onClick={() => setVerb('force')}>{t.flag.force}</button>
            <button type="button" class="danger" onClick={() => setVerb('kill')}>{t.flag.kill}</button>
          </>
        ) : session.value && <span class="muted">{t.act.readOnly}</span>}
      </div>
      {mine.map((one) => (
        <p key={one.id} class="override"><strong>{one.kind === 'kill' ? t.flag.killed : `${t.flag.forced} ${one.variant ?? ''}`}</strong> <bdi>{one.reason}</bdi> <span class="muted">{t.flag.by} <bdi>{one.author}</bdi>, <Age time={one.time} />; {one.expires ? <>{t.flag.until} <At time={one.expires} /></> : t.flag.noEnd}</span></p>
      ))}
      <div class="columns">
        <Who flag={key} />
        <div class="side">
          <History flag={key} />
          <Definition flag={flag} />
        </div>
      </div>
      {verb && <Act verb={verb} flag={flag} overrides={mine} onClose={close} />}
    </section>
  );
}

function Who({ flag }: { flag: string }) {
  const variant = place.value.params['variant'] ?? '';
  const store = useView({ ...noFilter, flag, variant }, 'subject', 5000);
  const who = useLoad(`who ${flag}`, () => get<{ variants: Record<string, number> }>('/v1/who', { flag, limit: 1 }).catch(() => undefined), 3000);
  const variants = Object.entries(who.data?.variants ?? {});
  return (
    <section class="panel tables" aria-label={t.flag.who}>
      <div class="heading"><h2>{t.flag.who}</h2>
        {variants.map(([name, n]) => (
          <button key={name} type="button" class={`tab${variant === name ? ' on' : ''}`} aria-pressed={variant === name} onClick={() => setParams({ variant: variant === name ? undefined : name })}><bdi>{name}</bdi> <span class="num">{count(n)}</span></button>
        ))}
        <span class="grow" /><Copy text={command('who', flag, ...(variant ? [variant] : []))} label={t.copyCommand} />
      </div>
      <CellTable store={store} by="" label={t.flag.who}><Empty title={t.flag.never} help={t.live.emptyHelp} code={command('watch', 'ada')} /></CellTable>
    </section>
  );
}

function History({ flag }: { flag: string }) {
  const { data, error } = useLoad(`history ${flag}`, () => get<{ changes: Change[] }>('/v1/history', { flag, limit: 500 }), 10_000);
  return (
    <section class="panel" aria-label={t.flag.history}>
      <div class="heading"><h2>{t.flag.history}</h2><span class="grow" /><Copy text={command('history', flag)} label={t.copyCommand} /></div>
      {error && !data && <Failed error={error} />}
      {!data && !error && <Skeleton rows={3} />}
      {data && (data.changes.length ? <><FlipPlot changes={data.changes} /><Changes changes={data.changes.slice(0, 12)} /></> : <p class="muted">{t.flag.noFlips}</p>)}
    </section>
  );
}

export function Changes({ changes, withFlag, choose }: { changes: Change[]; withFlag?: boolean; choose?: (change: Change) => void }) {
  return (
    <ol class="changes">
      {changes.map((change, i) => (
        <li key={`${change.entry}/${i}`}>
          {choose ? <button type="button" class="quiet num" onClick={() => choose(change)}><At time={change.time} /></button> : <span class="muted"><At time={change.time} /></span>}
          {withFlag ? <Name text={change.flag} href={link('flags', change.flag)} />
            : <span class="name"><Name text={change.contexts[0]?.subject ?? '–'} href={link('subjects', change.contexts[0]?.subject ?? '')} />{change.contexts.length > 1 && <span class="muted"> +{change.contexts.length - 1}</span>}</span>}
          <span class="muted cause" title={causeOf(change.cause, change.causeText)}><bdi>{causeOf(change.cause, change.causeText)}</bdi></span>
          <Value value={change.to?.value} />
        </li>
      ))}
    </ol>
  );
}

function Definition({ flag }: { flag: FlagInfo }) {
  const rule = ruleOf(flag.definition);
  const decision = flag.definition?.['decision'] as { rule?: unknown } | undefined;
  return (
    <section class="panel" aria-label={t.flag.rules}>
      <div class="heading"><h2>{t.flag.rules}</h2><span class="grow" />{flag.file && <span class="muted num">{flag.file}:{flag.line}</span>}</div>
      {decision?.rule !== undefined && <Rule rule={decision.rule} />}
      {rule !== undefined && <Rule rule={rule} />}
      <details open={rule === undefined && decision?.rule === undefined}><summary>JSON</summary><Json value={flag.definition ?? {}} /></details>
    </section>
  );
}
