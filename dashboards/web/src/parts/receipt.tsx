// SPDX-License-Identifier: Apache-2.0
// A receipt that fills: who of those concerned has acknowledged, who has not, and from when on nobody can be behind.
import { get } from '../api.ts';
import { clock, count, span } from '../format.ts';
import { t } from '../text.ts';
import type { Receipt, Stages, Unresolved } from '../types.ts';
import { Chip, Failed, Skeleton, useLoad } from './basics.tsx';

export function ReceiptView({ entry }: { entry: number }) {
  const { data, error } = useLoad<Receipt>(`receipt ${entry}`, () => get(`/v1/receipts/${entry}`), 700);
  if (!data) return error ? <Failed error={error} /> : <Skeleton rows={2} />;
  const part = data.concerned ? data.acknowledged / data.concerned : 1;
  const took = data.times.accepted && data.times.queued ? Date.parse(data.times.queued) - Date.parse(data.times.accepted) : NaN;
  return (
    <div class="receipt">
      <p class="line">
        <strong>{data.complete ? t.receipt.complete : t.receipt.filling}</strong>
        <span class="num">{count(data.acknowledged)}/{count(data.concerned)} {t.receipt.acknowledged}</span>
        {Number.isFinite(took) && <span class="muted num">{span(took)}</span>}
      </p>
      <progress max={1} value={part} aria-label={t.receipt.title} />
      {data.safe_at && <p class="muted">{t.receipt.safe(clock(data.safe_at, true))}</p>}
      {data.behind.length > 0 && <p class="line"><span class="muted">{t.receipt.behind}</span>{data.behind.map((one, i) => <Chip key={i} tone="warn"><bdi>{one.client ?? one.session}{one.subject ? ` · ${one.subject}` : ''}</bdi></Chip>)}</p>}
      {data.held.length > 0 && <p class="line"><span class="muted">{t.receipt.held}</span>{data.held.map((one, i) => <Chip key={i} tone="warn"><bdi>{one.client ?? one.session}</bdi></Chip>)}</p>}
      <UnresolvedView questions={data.unresolved} />
      {data.stages && <StagesView stages={data.stages} questions={data.questions} />}
    </div>
  );
}

export function UnresolvedView({ questions }: { questions: Unresolved[] }) {
  if (!questions.length) return null;
  return (
    <p class="line"><span class="muted">{t.receipt.unresolved}</span>
      {questions.map((one, i) => <Chip key={i} tone="bad" title={one.error ?? ''}><bdi>{one.source} {one.query}</bdi>{(one.count ?? 1) > 1 && <span class="num"> ×{count(one.count!)}</span>}</Chip>)}
    </p>
  );
}

/** How long each stage took to be reached, on one scale. */
function StagesView({ stages, questions }: { stages: Stages; questions: number | undefined }) {
  const reached = (Object.keys(t.receipt.stages) as (keyof Stages)[]).flatMap((name) => (stages[name] === undefined ? [] : [[name, stages[name]] as const]));
  const most = Math.max(1, ...reached.map(([, ms]) => ms));
  return (
    <dl class="stages" aria-label={t.receipt.stagesTitle}>
      {reached.map(([name, ms]) => <div key={name}><dt class="muted">{t.receipt.stages[name]}</dt><dd class="num"><i aria-hidden="true" style={{ width: `${(ms / most) * 100}%` }} /><span>{ms} ms</span></dd></div>)}
      {questions !== undefined && <div><dt class="muted">{t.receipt.asked}</dt><dd class="num"><span>{t.events.questions(questions)}</span></dd></div>}
    </dl>
  );
}
