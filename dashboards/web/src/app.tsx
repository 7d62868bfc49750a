// SPDX-License-Identifier: Apache-2.0
// The frame around all views: where one can go, how the service is, who one is, and whether what is seen is live.
import { useEffect } from 'preact/hooks';
import { session, signOut } from './api.ts';
import { announcement, asked, feed, helpOpen, paletteOpen, setTheme, theme, trigger, type Theme } from './board.ts';
import { age, count, span } from './format.ts';
import { useKeys } from './keys.ts';
import { go, link, place } from './router.ts';
import { t } from './text.ts';
import { now } from './parts/basics.tsx';
import { Help } from './parts/help.tsx';
import { Palette } from './parts/palette.tsx';
import { Spark } from './parts/spark.tsx';
import { Clients } from './views/clients.tsx';
import { Events } from './views/events.tsx';
import { FlagList, FlagView } from './views/flag.tsx';
import { Live } from './views/live.tsx';
import { Mark, SignIn } from './views/signin.tsx';
import { Sources } from './views/sources.tsx';
import { SubjectList, SubjectView } from './views/subject.tsx';
import { WhyDrawer } from './views/why.tsx';

const views = [['live', ''], ['flags', 'flags'], ['subjects', 'subjects'], ['events', 'events'], ['clients', 'clients'], ['sources', 'sources']] as const;

function View() {
  const [name = '', one] = place.value.path;
  switch (name) {
    case '': return <Live />;
    case 'flags': return one ? <FlagView key={one} flag={one} /> : <FlagList />;
    case 'subjects': return one ? <SubjectView key={one} subject={one} /> : <SubjectList />;
    case 'events': return <Events />;
    case 'clients': return <Clients />;
    case 'sources': return <Sources />;
    default: return <p class="empty lead">{t.error.notFound}</p>;
  }
}

function Navigation() {
  const current = place.value.path[0] ?? '';
  return (
    <nav aria-label={t.navigation}>
      {views.map(([name, path]) => (
        <a key={name} href={path ? link(path) : '#/'} aria-current={current === path ? 'page' : undefined}>{t.views[name]}</a>
      ))}
    </nav>
  );
}

function Health() {
  const pulse = feed.pulse.value;
  if (!pulse) return null;
  const up = pulse.sources.filter((source) => source.state === 'up').length;
  const p = t.pulse;
  return (
    <dl class="health">
      <div class="wide"><dt>{p.flips}</dt><dd class="num">{count(pulse.flips)}</dd><Spark values={feed.history.value} width={72} /></div>
      <div class="wide"><dt>{p.subjects}</dt><dd class="num">{count(pulse.subjects)}</dd></div>
      <div class="wide"><dt>{p.cells}</dt><dd class="num">{count(pulse.cells)}</dd></div>
      <div><dt>{p.clients}</dt><dd class="num">{count(pulse.clients)}</dd></div>
      {pulse.behind > 0 && <div class="warn"><dt>{p.behind}</dt><dd class="num">{count(pulse.behind)}</dd></div>}
      {pulse.overrides > 0 && <div class="warn"><dt>{p.overrides}</dt><dd class="num">{count(pulse.overrides)}</dd></div>}
      <div class={up < pulse.sources.length ? 'warn' : ''}><dt>{p.sources}</dt><dd class="num">{up}/{pulse.sources.length}</dd></div>
    </dl>
  );
}

function Banner() {
  const link = feed.link.value;
  const pulse = feed.pulse.value;
  const time = now.value - feed.skew.value;
  if (link.state === 'signed-out' || session.value === null)
    return <div class="banner" role="status"><span>{t.link.expired}</span> <a href="#/" onClick={(event) => { event.preventDefault(); location.reload(); }}>{t.signIn.title}</a></div>;
  if (link.state === 'stale' && time - link.since > 900) {
    const left = link.retryAt - time;
    return (
      <div class="banner" role="status">
        <span class="num">{left > 0 ? t.link.stale(age(time - link.since), span(left)) : t.link.staleNow(age(time - link.since))}</span>
        <button type="button" onClick={feed.retry}>{t.link.reconnect}</button>
      </div>
    );
  }
  if (pulse && !pulse.journal.healthy) return <div class="banner" role="alert">{t.pulse.journal}</div>;
  return null;
}

function Who() {
  const me = session.value;
  const state = feed.link.value.state;
  return (
    <div class="who">
      <span class={`link ${state}`}><i aria-hidden="true" />{state === 'live' ? t.link.live : state === 'connecting' ? t.link.connecting : t.link.staleWord}</span>
      {me && <span class="muted me" title={me.mode === 'loopback' ? t.session.loopback : me.operator.scopes.join(' ')}><bdi>{me.operator.name}</bdi> · {t.session.role[me.operator.role]}</span>}
      <select aria-label={t.theme.label} value={theme.value} onChange={(event) => setTheme(event.currentTarget.value as Theme)}>
        {(['auto', 'light', 'dark'] as const).map((name) => <option key={name} value={name}>{t.theme[name]}</option>)}
      </select>
      <button type="button" class="quiet" aria-label={`${t.palette.title}: Ctrl K`} title={t.palette.title} onClick={() => { paletteOpen.value = true; }}><kbd>Ctrl K</kbd></button>
      <button type="button" class="quiet help" aria-label={t.help.title} title={t.help.title} onClick={() => { helpOpen.value = true; }}>?</button>
      {me?.mode === 'session' && <button type="button" class="quiet" onClick={() => void signOut().finally(() => location.reload())}>{t.session.signOut}</button>}
    </div>
  );
}

/** `#/why/SUBJECT/FLAG` is a link to an explanation: Live, with the drawer open. */
function useWhyLinks(): void {
  const { path, params } = place.value;
  useEffect(() => {
    if (path[0] === 'why' && path[1] && path[2]) {
      asked.value = { subject: path[1], flag: path[2], ...(params['context'] ? { context: params['context'] } : {}), ...(params['at'] ? { at: params['at'] } : {}) };
      history.replaceState(null, '', '#/');
      place.value = { path: [], params: {} };
    }
  }, [path.join('/')]);
}

function Board() {
  useWhyLinks();
  useEffect(() => { feed.start(); return () => feed.stop(); }, []);
  useKeys({
    'Mod+k': () => { paletteOpen.value = true; }, '?': () => { helpOpen.value = true; },
    'g l': () => go(), 'g f': () => go('flags'), 'g s': () => go('subjects'), 'g e': () => go('events'), 'g c': () => go('clients'), 'g o': () => go('sources'),
    t: trigger, Escape: () => { asked.value = null; },
  });
  return (
    <>
      <a class="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById('content')?.focus(); }}>{t.skip}</a>
      <header class="top">
        <a class="brand" href="#/"><Mark /> {t.name}</a>
        <Navigation />
        <span class="grow" />
        <Health />
        <Who />
      </header>
      <Banner />
      <div class="stage">
        <main id="content" tabIndex={-1}><View /></main>
        <WhyDrawer />
      </div>
      <Palette />
      <Help />
      <div class="hidden" aria-live="polite">{announcement.value}</div>
    </>
  );
}

export function App() {
  const me = session.value;
  const known = feed.link.value.state !== 'stopped';
  return me === null && !known ? <SignIn /> : <Board />;
}
