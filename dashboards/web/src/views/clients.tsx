// SPDX-License-Identifier: Apache-2.0
// Clients: who is connected, who has heard the latest, those behind first.
import { useState } from 'preact/hooks';
import { call, get, may, queryOf } from '../api.ts';
import { command, curl } from '../commands.ts';
import { count, span } from '../format.ts';
import { link } from '../router.ts';
import { t } from '../text.ts';
import type { Client } from '../types.ts';
import { Age, Chip, Copy, Empty, Failed, Name, Skeleton, now, useLoad } from '../parts/basics.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Table } from '../parts/table.tsx';

const bad = (client: Client): number => (client.state === 'current' ? 0 : 1) * 1e9 + Math.max(0, client.sent - client.acknowledged);

function Lease({ until }: { until?: string | undefined }) {
  if (!until) return <span class="muted">–</span>;
  const left = Date.parse(until) - now.value;
  return <span class={`num${left < 5000 ? ' warned' : ''}`}>{left > 0 ? span(left) : t.clients.over}</span>;
}

export function Clients() {
  const { data, error, reload } = useLoad('clients', () => get<{ clients: Client[]; total: number }>('/v1/clients', { limit: 1000 }), 2000);
  const [leaving, setLeaving] = useState<Client | null>(null);
  const c = t.clients;
  const list = [...(data?.clients ?? [])].sort((a, b) => bad(b) - bad(a));
  return (
    <section class="view live" aria-label={c.title}>
      <div class="toolbar"><h1>{c.title}</h1><span class="muted num">{data ? t.live.shown(list.length, data.total) : ''}</span><span class="grow" />
        <Copy text={command('clients')} label={t.copyCommand} /><Copy text={curl('GET', '/v1/clients')} label={t.copyCurl} /></div>
      <Table label={c.table} kind="clients" count={list.length} columns={[c.state, c.client, c.subject, c.address, c.acked, c.lease, c.since, c.session, c.disconnect]}
        render={(index, top) => {
          const client = list[index]!;
          const behind = client.sent - client.acknowledged;
          return (
            <div key={client.session} role="row" aria-rowindex={index + 2} class="tr" style={{ transform: `translateY(${top}px)` }}>
              <span role="cell" class="k-state"><Chip tone={client.state === 'current' ? 'accent' : 'warn'}>{client.state}</Chip></span>
              <span role="cell" class="k-client"><Name text={`${client.client ?? client.channel} ${client.version ?? ''}`} /></span>
              <span role="cell" class="k-subject">{client.watches[0] ? <Name text={client.watches[0].subject} href={link('subjects', client.watches[0].subject)} /> : '–'}{client.watchCount > 1 && <span class="muted num"> +{count(client.watchCount - 1)}</span>}</span>
              <span role="cell" class="k-address muted num">{client.address ?? '–'}</span>
              <span role="cell" class={`k-acked num${behind > 0 ? ' warned' : ''}`}>{count(client.acknowledged)}{behind > 0 ? ` · ${c.lag} ${behind}` : ''}</span>
              <span role="cell" class="k-lease"><Lease until={client.leaseUntil} /></span>
              <span role="cell" class="k-since muted"><Age time={client.opened} /></span>
              <span role="cell" class="k-session muted"><code>{client.session}</code></span>
              <span role="cell" class="k-end">{may('operate') && <button type="button" class="quiet" aria-label={`${c.disconnect} ${client.session}`} onClick={() => setLeaving(client)}>{c.disconnect}</button>}</span>
            </div>
          );
        }}>
        {error && !data ? <Failed error={error} retry={reload} /> : data ? <Empty title={c.empty} help={c.emptyHelp} code={command('watch', 'ada')} /> : <Skeleton />}
      </Table>
      {leaving && <Disconnect client={leaving} onClose={() => { setLeaving(null); reload(); }} />}
    </section>
  );
}

function Disconnect({ client, onClose }: { client: Client; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const [error, setError] = useState('');
  const path = `/v1/clients/${encodeURIComponent(client.session)}${queryOf({ reason })}`;
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      await call('DELETE', path);
      onClose();
    } catch (failure) {
      setError((failure as Error).message);
    }
  };
  return (
    <Dialog title={t.clients.sure(client.session)} onClose={onClose} kind="act">
      <form class="form" onSubmit={submit}>
        <p><bdi>{client.client}</bdi> <span class="muted">{t.clients.watches(client.watchCount)}</span></p>
        <p class="muted">{t.clients.help}</p>
        <label><span>{t.act.reason}</span><input required value={reason} placeholder={t.act.reasonHelp} onInput={(event) => setReason(event.currentTarget.value)} /></label>
        {error && <p class="bad" role="alert">{error}</p>}
        <p class="buttons"><Copy text={curl('DELETE', path)} label={t.copyCurl} /><span class="grow" /><button type="button" onClick={onClose}>{t.cancel}</button><button type="submit" class="danger primary" disabled={!reason.trim()}>{t.clients.disconnect}</button></p>
      </form>
    </Dialog>
  );
}
