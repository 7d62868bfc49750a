// SPDX-License-Identifier: Apache-2.0
// What an action or event would change, before it is done.
import { t } from '../text.ts';
import type { Dry } from '../types.ts';
import { Name, Value } from './basics.tsx';
import { UnresolvedView } from './receipt.tsx';

export function Blast({ dry, withFlag }: { dry: Dry; withFlag?: boolean }) {
  const values = dry.flips ?? dry.contexts;
  const changes = dry.changes ?? [];
  return (
    <div class="blast">
      <p><strong>{values ? t.act.affected(values, dry.subjects, dry.clients) : t.act.blastNone}</strong></p>
      {dry.superseded && <p class="warned">{t.events.superseded}</p>}
      <UnresolvedView questions={dry.unresolved ?? []} />
      {changes.length > 0 && (
        <ul tabIndex={0} aria-label={t.act.blast}>
          {changes.map((change, i) => (
            <li key={i}><Name text={change.subject} />{withFlag && <Name text={change.flag} />}<span class="grow" /><Value value={change.from?.value} faded /><span aria-hidden="true" class="muted">→</span><Value value={change.to?.value} /></li>
          ))}
        </ul>
      )}
      {(dry.more ?? 0) > 0 && <p class="muted">{t.act.and(dry.more!)}</p>}
    </div>
  );
}
