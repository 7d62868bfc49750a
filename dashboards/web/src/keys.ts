// SPDX-License-Identifier: Apache-2.0
// Keys: one table at a time, the innermost part's first. Nothing happens while one types.
import { useEffect, useRef } from 'preact/hooks';

export type Keys = Record<string, (event: KeyboardEvent) => void>;

const tables: { current: Keys }[] = [];
let leader: { key: string; until: number } | null = null;

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function nameOf(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>): string {
  const key = event.key === ' ' ? 'Space' : event.key;
  return `${event.ctrlKey || event.metaKey ? 'Mod+' : ''}${event.altKey ? 'Alt+' : ''}${key.length === 1 ? key.toLowerCase() : key}`;
}

function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const name = nameOf(event);
  if (typing(event.target) && !name.startsWith('Mod+')) return;
  if ((name === 'Space' || name === 'Enter') && event.target instanceof HTMLElement && /^(BUTTON|A|SUMMARY)$/.test(event.target.tagName)) return;
  const modal = document.querySelector('dialog:modal');
  const now = performance.now();
  const full = leader && now < leader.until ? `${leader.key} ${name}` : name;
  leader = name === 'g' && full === name ? { key: name, until: now + 1200 } : null;
  for (let i = tables.length - 1; i >= 0; i--) {
    const act = tables[i]!.current[full];
    if (!act || (modal && !full.startsWith('Mod+'))) continue;
    event.preventDefault();
    act(event);
    return;
  }
}

export function useKeys(keys: Keys): void {
  const table = useRef(keys);
  table.current = keys;
  useEffect(() => {
    tables.push(table);
    return () => { tables.splice(tables.indexOf(table), 1); };
  }, []);
}

export function listenToKeys(): void { document.addEventListener('keydown', press); }
