// SPDX-License-Identifier: Apache-2.0
// Live: every cell that fits the filter, as it is now.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { asked, announcement, feed } from '../board.ts';
import { command, curl } from '../commands.ts';
import { noFilter, type Filter, type Row, type Sort } from '../frames.ts';
import { span } from '../format.ts';
import { useKeys } from '../keys.ts';
import { go, link, place, setParams } from '../router.ts';
import { Store } from '../store.ts';
import { t } from '../text.ts';
import { Age, Copy, Empty, Name, Reason, Skeleton, Value } from '../parts/basics.tsx';
import { Table, useNarrow } from '../parts/table.tsx';

const PAGE = 1000;
const MOST = 10_000;
const FLASH = 1400;

interface Group { group: string; count: number; on: number }
type Item = Row | Group;
const isGroup = (item: Item): item is Group => 'group' in item;

/** A view of the feed that follows its filter; its store tells when to draw. */
export function useView(filter: Filter, sort: Sort, limit: number): Store {
  const [view] = useState(() => feed.view({ filter, sort, limit }));
  useEffect(() => () => feed.close(view.id), []);
  useEffect(() => feed.change(view.id, { filter, sort, limit }), [JSON.stringify(filter), sort, limit]);
  return view.store;
}

function grouped(rows: readonly Row[], by: 'subject' | 'flag'): Item[] {
  const items: Item[] = [];
  let head: Group | undefined;
  for (const row of rows) {
    const name = row[by];
    if (head?.group !== name) items.push((head = { group: name, count: 0, on: 0 }));
    head.count++;
    if (row.value === true) head.on++;
    items.push(row);
  }
  return items;
}

export function cause(row: Pick<Row, 'causeKind' | 'causeEntry' | 'causeTime' | 'changed' | 'causeText'>): string {
  const words = row.causeText || `${t.causes[row.causeKind] ?? row.causeKind}${row.causeEntry ? ` ${row.causeEntry}` : ''}`;
  const took = row.causeTime && row.changed > row.causeTime && row.causeEntry ? ` · ${span(row.changed - row.causeTime)}` : '';
  return words + took;
}

/** A cause in words; what an older service leaves out, by its kind. */
export function causeOf(it: { kind: string; entries: number[]; }, text?: string): string {
  return text ?? `${t.causes[it.kind] ?? it.kind}${it.entries[0] ? ` ${it.entries[0]}` : ''}`;
}

export function Delivered({ row }: { row: Row }) {
  if (row.state !== 'watched') return <span class="muted" title={t.live.state[row.state]}>{t.live.state[row.state]}</span>;
  const behind = row.watching - row.acked;
  return (
    <span class={`delivered num${behind > 0 ? ' waiting' : ''}`} title={behind > 0 ? t.live.notDelivered(behind) : undefined}>
      <i aria-hidden="true" style={{ '--part': row.watching ? row.acked / row.watching : 0 }} />{row.acked}/{row.watching}
    </span>
  );
}

export function why(row: Row): void { asked.value = { subject: row.subject, flag: row.flag, context: row.context }; }

function RowView({ row, index, top, chosen, same, choose }: { row: Row; index: number; top: number; chosen: boolean; same: boolean; choose: () => void }) {
  const fresh = row.seen > 0 && performance.now() - row.seen < FLASH;
  return (
    <div role="row" aria-rowindex={index + 2} class={`tr ${row.state}${chosen ? ' chosen' : ''}${same ? ' same' : ''}`} style={{ transform: `translateY(${top}px)` }}
      onClick={choose} onDblClick={() => why(row)}>
      {fresh && <i key={row.seen} class="flash" aria-hidden="true" />}
      <span role="cell" class="c-subject"><Name text={row.subject} href={link('subjects', row.subject)} /></span>
      <span role="cell" class="c-flag"><Name text={row.flag} href={link('flags', row.flag)} /></span>
      <span role="cell" class="c-value"><Value value={row.value} /></span>
      <span role="cell" class="c-reason"><Reason reason={row.reason} error={row.error} /></span>
      <span role="cell" class="c-source muted">{row.source ?? '–'}</span>
      <span role="cell" class="c-cause muted" title={cause(row)}><bdi>{cause(row)}</bdi></span>
      <span role="cell" class="c-age muted"><Age time={row.changed} /></span>
      <span role="cell" class="c-delivered"><Delivered row={row} /></span>
      <span role="cell" class="c-why"><button type="button" class="quiet" aria-label={t.why.of(row.subject, row.flag)} onClick={() => why(row)}>{t.why.title}</button></span>
    </div>
  );
}

function GroupView({ group, by, index, top }: { group: Group; by: string; index: number; top: number }) {
  return (
    <div role="row" aria-rowindex={index + 2} class="tr group" style={{ transform: `translateY(${top}px)` }}>
      <span role="cell" class="c-group"><Name text={group.group} href={link(by === 'flag' ? 'flags' : 'subjects', group.group)} /> <span class="muted num">{t.live.groupOf(group.count, group.on)}</span></span>
    </div>
  );
}

/** Summaries for those who do not see the flashes: one sentence, at most every five seconds. */
function useAnnouncements(store: Store): void {
  useEffect(() => {
    let told = store.flips;
    const timer = setInterval(() => {
      const flips = store.flips - told;
      told = store.flips;
      if (!flips) return;
      const since = performance.now() - 5000;
      announcement.value = t.live.announce(flips, store.rows.filter((row) => row.seen > since && row.value === false).length);
    }, 5000);
    return () => clearInterval(timer);
  }, [store]);
}

export function CellTable({ store, by, label, onNearEnd, children }: { store: Store; by: '' | 'subject' | 'flag'; label: string; onNearEnd?: () => void; children?: VNode }) {
  const version = store.version.value;
  const items = useMemo(() => (by ? grouped(store.rows, by) : store.rows), [version, by, store]);
  const [chosen, setChosen] = useState(-1);
  const drawn = useRef(new Map<number, { item: Row; at: number; top: number; chosen: boolean; same: boolean; node: VNode }>()).current;
  const tall = useNarrow();
  const move = (step: number) => setChosen((old) => {
    let next = Math.max(0, Math.min(items.length - 1, old + step));
    while (items[next] && isGroup(items[next]!) && items[next + step]) next += step;
    return next;
  });
  const row = (): Row | undefined => {
    const item = items[chosen];
    return item && !isGroup(item) ? item : undefined;
  };
  const withRow = (act: (row: Row) => void) => () => { const it = row(); if (it) act(it); };
  useKeys({
    j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1),
    Enter: withRow((it) => go('subjects', it.subject)), f: withRow((it) => go('flags', it.flag)), w: withRow(why),
  });
  const render = (index: number, top: number): VNode => {
    const item = items[index]!;
    if (isGroup(item)) return <GroupView key={`group ${item.group}`} group={item} by={by} index={index} top={top} />;
    const above = items[index - 1];
    const same = above !== undefined && !isGroup(above) && above.subject === item.subject;
    const old = drawn.get(item.cell);
    if (old && old.item === item && old.at === index && old.top === top && old.same === same && old.chosen === (index === chosen)) return old.node;
    const node = <RowView key={item.cell} row={item} index={index} top={top} chosen={index === chosen} same={same} choose={() => setChosen(index)} />;
    if (drawn.size > 500) drawn.clear();
    drawn.set(item.cell, { item, at: index, top, chosen: index === chosen, same, node });
    return node;
  };
  const c = t.columns;
  return (
    <Table label={label} kind={`cells${tall ? ' tall' : ''}`} count={items.length} selected={chosen} render={render} onNearEnd={onNearEnd}
      columns={[c.subject, c.flag, c.value, c.reason, c.source, c.cause, c.age, c.delivered, t.why.title]}>
      {store.loaded ? children : <Skeleton />}
    </Table>
  );
}

/* What follows the store by itself: the rest of the toolbar is not drawn again with each frame. */
function Pause({ store }: { store: Store }) {
  void store.version.value;
  return <button type="button" class={store.paused ? 'primary' : ''} aria-pressed={store.paused} onClick={() => store.pause(!store.paused)}>{store.paused ? t.live.resume(store.waiting) : t.live.pause}</button>;
}

function Shown({ store }: { store: Store }) {
  void store.version.value;
  return <span class="muted num">{store.loaded ? t.live.values(store.rows.length, store.total) : ''}</span>;
}

export function Live() {
  const params = place.value.params;
  const filter: Filter = { ...noFilter };
  for (const name of Object.keys(noFilter) as (keyof Filter)[]) filter[name] = params[name] ?? '';
  const sort: Sort = params['sort'] === 'flag' || params['sort'] === 'changed' ? params['sort'] : 'subject';
  const by = params['group'] !== undefined && sort !== 'changed' ? sort : '';
  const [limit, setLimit] = useState(PAGE);
  const store = useView(filter, sort, limit);
  const search = useRef<HTMLInputElement>(null);
  useAnnouncements(store);
  const filtered = Object.values(filter).some(Boolean);
  const toggle = () => store.pause(!store.paused);
  useKeys({ '/': () => search.current?.select(), Space: toggle });
  const set = (name: string) => (event: Event) => {
    store.pause(false);
    setParams({ [name]: (event.currentTarget as HTMLInputElement).value });
  };
  return (
    <section class="view live" aria-label={t.live.title}>
      <div class="toolbar">
        <h1 class="hidden">{t.live.title}</h1>
        <input ref={search} type="search" class="search" value={filter.q} placeholder={t.live.searchKey} aria-label={t.live.search} onInput={set('q')} />
        <details class="filters" open={['subject', 'flag', 'variant', 'reason', 'source'].some((name) => params[name])}>
          <summary>{t.live.filter}</summary>
          <div class="fields">
            {(Object.keys(t.live.filters) as (keyof typeof t.live.filters)[]).map((name) => (
              <label key={name}><span>{t.live.filters[name]}</span><input value={filter[name]} placeholder="*" onInput={set(name)} /></label>
            ))}
          </div>
        </details>
        <select value={sort} aria-label={t.live.sort} onChange={set('sort')}>
          {(Object.keys(t.live.sorts) as Sort[]).map((name) => <option key={name} value={name}>{t.live.sorts[name]}</option>)}
        </select>
        <label class="check"><input type="checkbox" checked={by !== ''} disabled={sort === 'changed'} onChange={() => setParams({ group: by ? undefined : '1' })} />{t.live.group}</label>
        <Pause store={store} />
        {filtered && <button type="button" class="quiet" onClick={() => setParams({ q: '', subject: '', flag: '', variant: '', reason: '', source: '' })}>{t.live.clear}</button>}
        <span class="grow" />
        <Shown store={store} />
        <Copy text={filter.subject ? command('watch', filter.subject) : command('watch')} label={t.copyCommand} />
        <Copy text={curl('GET', filter.subject ? `/v1/contexts?subject=${encodeURIComponent(filter.subject)}` : '/v1/contexts')} label={t.copyCurl} />
      </div>
      <CellTable store={store} by={by} label={t.live.table} onNearEnd={() => { if (store.total > store.rows.length && limit < MOST) setLimit(MOST); }}>
        {filtered ? <Empty title={t.live.nothing} /> : <Empty title={t.live.empty} help={t.live.emptyHelp} code={command('watch', 'ada')} />}
      </CellTable>
    </section>
  );
}
