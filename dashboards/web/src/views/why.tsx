// SPDX-License-Identifier: Apache-2.0
// The why drawer: one value from what happened to who has it, as `flagstaff why` tells it.
import { useEffect, useRef } from 'preact/hooks';
import { get, queryOf } from '../api.ts';
import { asked, type Asked } from '../board.ts';
import { command, curl } from '../commands.ts';
import { clock, short, showValue, span } from '../format.ts';
import { link, linkWith } from '../router.ts';
import { t } from '../text.ts';
import type { Cause, Change, Decision, Valued, Why } from '../types.ts';
import { Age, At, Chip, Copy, Failed, Json, Name, Reason, Skeleton, Value, useLoad } from '../parts/basics.tsx';
import { Rule, linesOf, ruleOf } from '../parts/rule.tsx';

export function WhyDrawer() {
  const about = asked.value;
  const back = useRef<Element | null>(null);
  useEffect(() => {
    if (about) {
      back.current ??= document.activeElement;
      document.getElementById('why')?.focus();
    } else if (back.current instanceof HTMLElement) {
      back.current.focus();
      back.current = null;
    }
  }, [about]);
  return about ? <Drawer key={JSON.stringify(about)} about={about} /> : null;
}

function Drawer({ about }: { about: Asked }) {
  const params = { subject: about.subject, flag: about.flag, context: about.context, at: about.at };
  const { data, error, reload } = useLoad<Why | Change>(JSON.stringify(params), () => get('/v1/why', params), about.at ? 0 : 2000);
  const words = ['why', about.subject, about.flag, ...(about.at ? ['--at', about.at] : [])];
  const address = () => location.origin + location.pathname + linkWith(['why', about.subject, about.flag], { context: about.context ?? '', at: about.at ?? '' });
  return (
    <aside id="why" class="drawer" tabIndex={-1} aria-label={t.why.of(about.subject, about.flag)}>
      <header>
        <h2>{t.why.title}</h2>
        <span class="grow" />
        <Copy text={address()} label={t.why.permalink} />
        <Copy text={command(...words)} label={t.copyCommand} />
        <Copy text={curl('GET', `/v1/why${queryOf(params)}`)} label={t.copyCurl} />
        <button type="button" class="quiet" aria-label={t.close} onClick={() => { asked.value = null; }}>✕</button>
      </header>
      <div class="chain">
        <p class="subject-line"><Name text={about.subject} href={link('subjects', about.subject)} /> <span class="muted">·</span> <Name text={about.flag} href={link('flags', about.flag)} /></p>
        {about.at && <p><Chip tone="accent">{t.why.at(clock(about.at))}</Chip></p>}
        {!data && error && <Failed error={error} retry={reload} />}
        {!data && !error && <Skeleton rows={6} />}
        {data && ('to' in data ? <Past change={data} /> : <Present why={data} />)}
      </div>
    </aside>
  );
}

function Step({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return <section class="step"><h3>{title}</h3>{children}</section>;
}

function Verdict({ value, changed, cause }: { value: Valued; changed: string; cause: Cause }) {
  const took = Date.parse(changed) - Date.parse(cause.time);
  return (
    <Step title={t.why.value}>
      <p class="line"><Value value={value.value} /> <Reason reason={value.reason ?? ''} /> {value.variant && value.variant !== showValue(value.value) && <Chip>{value.variant}</Chip>}</p>
      {value.safe && <p class="warned">{t.why.safe}</p>}
      {value.detail && <p class="muted"><bdi>{value.detail}</bdi></p>}
      <p class="muted">{t.why.changed} <At time={changed} ms />{cause.entries.length > 0 && took >= 0 ? `, ${span(took)} ${t.why.took}` : ''}</p>
    </Step>
  );
}

function Happened({ cause, text }: { cause: Cause; text: string | undefined }) {
  return (
    <Step title={t.why.event}>
      <p class="line">
        <strong><bdi>{text ?? t.causes[cause.kind] ?? cause.kind}</bdi></strong>
        {cause.entries.map((entry) => <a key={entry} class="num" href={linkWith(['events'], { entry: String(entry) })}>{t.why.entry} {entry}</a>)}
        {cause.count > cause.entries.length && cause.entries.length > 0 && <span class="muted num">+{cause.count - cause.entries.length}</span>}
        <span class="muted"><At time={cause.time} ms /></span>
      </p>
    </Step>
  );
}

function DecisionView({ decision }: { decision: Decision }) {
  const rule = decision.kind === 'rule' ? parse(decision.query) : undefined;
  const said = decision.state === 'value' && typeof decision.value === 'boolean' ? (decision.value ? 'allowed' : 'denied') : decision.state; // in access's own words
  const tone = decision.error || decision.state === 'none' ? 'warn' : decision.state === 'allowed' || decision.value === true ? 'accent' : '';
  return (
    <div class="decision">
      <p class="line"><strong><bdi>{decision.name ?? decision.source}</bdi></strong>{!rule && <code><bdi>{decision.query}</bdi></code>}
        <Chip tone={tone}>{said ?? '–'}</Chip>{said === decision.state && decision.value !== undefined && <Value value={decision.value} />}</p>
      {(decision.revision || decision.decision || decision.decisionId || decision.confirmed) && (
        <p class="muted num line">{decision.revision && <span>{t.why.policy} {short(decision.revision, 12)}</span>}{(decision.decision ?? decision.decisionId) && <span>{decision.decision ?? decision.decisionId}</span>}
          {decision.confirmed && <span>{t.why.confirmed} <Age time={decision.confirmed} /></span>}</p>
      )}
      {decision.error && <p class="warned"><bdi>{decision.error}</bdi></p>}
      {decision.missing && <p class="warned">{t.why.missing(decision.missing)}</p>}
      {rule !== undefined && <Rule rule={rule} />}
      {decision.input !== undefined && <details><summary>{t.why.input}</summary><Json value={decision.input} /></details>}
    </div>
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function Present({ why }: { why: Why }) {
  const rule = ruleOf(why.definition);
  return (
    <>
      <Verdict value={why.value} changed={why.changed} cause={why.cause} />
      <Happened cause={why.cause} text={why.causeText} />
      <Step title={t.why.answers}>
        {why.decisions.length ? why.decisions.map((decision, i) => <DecisionView key={i} decision={decision} />) : <p class="muted">{t.why.noDecision}</p>}
      </Step>
      {rule !== undefined && (why.branch !== undefined || linesOf(rule).length > 1) && <Step title={t.why.rule}><Rule rule={rule} branch={why.branch} /></Step>}
      {why.facts && <Step title={t.why.facts}><dl class="facts">{Object.entries(why.facts).map(([name, value]) => <div key={name}><dt><bdi>{name}</bdi></dt><dd><Value value={value} /></dd></div>)}</dl></Step>}
      <Step title={t.why.clients}>
        {why.clients.length ? why.clients.map((client, i) => (
          <p key={i} class="line"><Chip tone={client.acknowledged ? 'accent' : 'warn'}>{client.acknowledged ? t.why.acknowledged : client.connected ? t.why.waiting : t.why.gone}</Chip><bdi>{client.client ?? client.session}</bdi> <span class="muted num" title={client.session}>{short(client.session, 10)}</span></p>
        )) : <p class="muted">{t.why.noClients}</p>}
      </Step>
    </>
  );
}

function Past({ change }: { change: Change }) {
  return (
    <>
      {change.kept === false && <p class="warned">{t.why.notKept(change.until ? clock(change.until) : '–')}</p>}
      <Verdict value={change.to ?? {}} changed={change.time} cause={change.cause} />
      {change.from && <Step title={t.why.from}><p class="line"><Value value={change.from.value} /> <Reason reason={change.from.reason ?? ''} /> <Chip>{change.takesAway ? t.why.taken : t.why.granted}</Chip></p></Step>}
      <Happened cause={change.cause} text={change.causeText} />
      {change.answers && change.answers.length > 0 && <Step title={t.why.answers}>{change.answers.map((answer, i) => <DecisionView key={i} decision={answer} />)}</Step>}
    </>
  );
}
