// SPDX-License-Identifier: Apache-2.0
// Sources: who decides, whether they are alive, how fast they answer and what they last said wrong.
import { useState } from 'preact/hooks';
import { call, get, may } from '../api.ts';
import { command, curl } from '../commands.ts';
import { count, short } from '../format.ts';
import { barsOf, within, type Latency } from '../histogram.ts';
import { link } from '../router.ts';
import { t } from '../text.ts';
import type { FlagInfo, Receipt, Source } from '../types.ts';
import { Age, Chip, Copy, Empty, Failed, Name, Skeleton, useLoad } from '../parts/basics.tsx';
import { ReceiptView } from '../parts/receipt.tsx';
import { recompute } from './events.tsx';
import { Test } from './question.tsx';

const SAMPLE = 'sources: { opa: { type: opa, url: "http://127.0.0.1:8181" } }';

export function Sources() {
  const { data, error, reload } = useLoad('sources', () => get<{ sources: Source[] }>('/v1/sources'), 2000);
  const flags = useLoad('flags', () => get<{ flags: FlagInfo[] }>('/v1/flags'), 10_000);
  const s = t.sources;
  return (
    <section class="view" aria-label={s.title}>
      <div class="heading"><h1>{s.title}</h1><span class="grow" /><Copy text={command('sources')} label={t.copyCommand} /><Copy text={curl('GET', '/v1/sources')} label={t.copyCurl} /></div>
      {error && !data && <Failed error={error} retry={reload} />}
      {!data && !error && <Skeleton />}
      {data && !data.sources.length && <Empty title={s.empty} help={s.emptyHelp} code={SAMPLE} />}
      <div class="sources">
        {data?.sources.map((source) => <SourceView key={source.name} source={source} flags={(flags.data?.flags ?? []).filter((flag) => flag.sources.includes(source.name))} />)}
      </div>
    </section>
  );
}

function SourceView({ source, flags }: { source: Source; flags: FlagInfo[] }) {
  const [entry, setEntry] = useState(0);
  const [error, setError] = useState('');
  const s = t.sources;
  const ask = async () => {
    try {
      const { body, type } = recompute({ sources: [source.name] });
      setEntry((await call<Receipt>('POST', '/v1/events?wait=applied', body, type)).entry);
      setError('');
    } catch (failure) {
      setError((failure as Error).message);
    }
  };
  const d = source.decisions;
  const latency = source.latency?.count ? source.latency : undefined;
  const slow = latency ? within(latency, 0.99) : null;
  return (
    <article class="panel" aria-label={source.name}>
      <div class="heading"><h2><bdi>{source.name}</bdi></h2><span class="muted">{source.type}</span><Chip tone={source.state === 'up' ? 'accent' : 'bad'}>{source.state === 'up' ? s.up : source.state}</Chip>
        <span class="muted"><Age time={source.since} /></span><span class="grow" />{may('operate') && <button type="button" onClick={ask}>{s.probe}</button>}</div>
      {source.error && <p class="warned"><span class="muted">{s.error}:</span> <bdi>{source.error}</bdi></p>}
      <dl class="numbers">
        <div><dt>{s.asked}</dt><dd class="num">{count(source.asked)}</dd></div>
        <div><dt>{s.failed}</dt><dd class={`num${source.failed ? ' warned' : ''}`}>{count(source.failed)}</dd></div>
        <div><dt>{s.allow}</dt><dd class="num">{count(d.allow)}</dd></div>
        <div><dt>{s.deny}</dt><dd class="num">{count(d.deny)}</dd></div>
        {d.value > 0 && <div><dt>{s.value}</dt><dd class="num">{count(d.value)}</dd></div>}
        {d.error > 0 && <div><dt>{s.errors}</dt><dd class="num warned">{count(d.error)}</dd></div>}
        {source.revision && <div><dt>{s.revision}</dt><dd><code>{short(source.revision, 14)}</code></dd></div>}
        {source.changed && <div><dt>{s.changed}</dt><dd><Age time={source.changed} /></dd></div>}
        {latency && <div><dt>{s.mean}</dt><dd class="num">{(latency.sumMs / latency.count).toFixed(1)} ms</dd></div>}
        {latency && slow !== null && <div><dt>{s.slow}</dt><dd class="num">{slow} ms</dd></div>}
        {source.breaker && source.breaker.state !== 'closed' && <div><dt>{s.breaker}</dt><dd class="num warned">{s.open(source.breaker.failures)}</dd></div>}
      </dl>
      {latency && <Histogram buckets={latency.buckets} />}
      {flags.length > 0 && <p class="line"><span class="muted">{s.flags}</span>{flags.map((flag) => <Name key={flag.key} text={flag.key} href={link('flags', flag.key)} />)}</p>}
      {error && <p class="bad" role="alert">{error}</p>}
      {entry > 0 && <ReceiptView entry={entry} />}
      {may('operate') && source.type !== 'builtin' && <Test source={source.name} flags={flags} />}
    </article>
  );
}

function Histogram({ buckets }: { buckets: Latency['buckets'] }) {
  const bars = barsOf(buckets);
  if (!bars.length) return null;
  const most = Math.max(...bars.map((one) => one.count));
  const name = (leMs: number | null) => (leMs === null ? t.sources.slower : `≤ ${leMs} ms`);
  return (
    <div class="histogram" role="img" aria-label={bars.map((one) => `${name(one.leMs)}: ${one.count}`).join(', ')}>
      {bars.map((one) => <div key={one.leMs} title={`${name(one.leMs)}: ${count(one.count)}`}><i style={{ height: `${Math.max(2, (one.count / most) * 44)}px` }} /><span class="num muted">{one.leMs ?? '∞'}</span></div>)}
    </div>
  );
}
