// SPDX-License-Identifier: Apache-2.0
// Everything that one can go to or do, by typing a piece of its name.
import { useState } from 'preact/hooks';
import { get } from '../api.ts';
import { feed, helpOpen, paletteOpen, setTheme, theme, trigger } from '../board.ts';
import { go } from '../router.ts';
import { t } from '../text.ts';
import { useLoad } from './basics.tsx';
import { Dialog } from './dialog.tsx';

interface Choice { name: string; kind: string; act: () => void }

export function fits(name: string, typed: string): boolean {
  const lower = name.toLowerCase();
  return typed.toLowerCase().split(/\s+/).every((word) => lower.includes(word));
}

export function Palette() { return paletteOpen.value ? <Open /> : null; }

function Open() {
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const flags = useLoad('flags', () => get<{ flags: { key: string }[] }>('/v1/flags'));
  const subjects = useLoad('subjects', () => get<{ contexts: { subject: string }[] }>('/v1/contexts', { limit: 500 }));
  const close = () => { paletteOpen.value = false; };
  const choices: Choice[] = [
    { name: t.views.live, kind: '', act: () => go() },
    ...(['flags', 'subjects', 'events', 'clients', 'sources'] as const).map((name) => ({ name: t.views[name], kind: '', act: () => go(name) })),
    { name: t.events.trigger, kind: 't', act: trigger },
    { name: t.palette.theme, kind: '', act: () => setTheme(theme.value === 'dark' ? 'light' : 'dark') },
    { name: t.help.title, kind: '?', act: () => { helpOpen.value = true; } },
    { name: t.link.reconnect, kind: '', act: feed.retry },
    ...(flags.data?.flags ?? []).map(({ key }) => ({ name: key, kind: t.columns.flag, act: () => go('flags', key) })),
    ...[...new Set((subjects.data?.contexts ?? []).map((context) => context.subject))].map((name) => ({ name, kind: t.columns.subject, act: () => go('subjects', name) })),
  ];
  const found = choices.filter((choice) => fits(`${choice.name} ${choice.kind}`, typed)).slice(0, 12);
  if (typed) found.push({ name: typed, kind: t.subject.choose, act: () => go('subjects', typed) });
  const chosen = Math.min(at, found.length - 1);
  const take = (choice: Choice | undefined) => { close(); choice?.act(); };
  const press = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) {
      event.preventDefault();
      setAt((chosen + step + found.length) % found.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      take(found[chosen]);
    }
  };
  return (
    <Dialog title={t.palette.title} kind="palette" onClose={close}>
      <input type="text" role="combobox" list={undefined} aria-expanded="true" aria-controls="choices" aria-activedescendant={`choice-${chosen}`} aria-label={t.palette.title}
        placeholder={t.palette.placeholder} value={typed} onKeyDown={press} onInput={(event) => { setTyped(event.currentTarget.value); setAt(0); }} />
      <div id="choices" role="listbox" aria-label={t.palette.title} class="choices">
        {found.map((choice, i) => (
          <div key={`${choice.kind}/${choice.name}`} id={`choice-${i}`} role="option" aria-selected={i === chosen} onClick={() => take(choice)}>
            <bdi>{choice.name}</bdi> <span class="muted">{choice.kind}</span>
          </div>
        ))}
      </div>
    </Dialog>
  );
}
