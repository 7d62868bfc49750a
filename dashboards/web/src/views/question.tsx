// SPDX-License-Identifier: Apache-2.0
// A question to a source, asked by hand: what it says now, how fast, and by which policy. Nothing is kept of it.
import { useState } from 'preact/hooks';
import { call } from '../api.ts';
import { command, curl } from '../commands.ts';
import { short } from '../format.ts';
import { t } from '../text.ts';
import type { FlagInfo, Tested } from '../types.ts';
import { Chip, Copy, Json } from '../parts/basics.tsx';

interface Form { by: 'flag' | 'path'; flag: string; subject: string; query: string; input: string }
interface Choices extends Omit<Form, 'by'> { by: Form['by'] | '' }

function bodyOf(form: Form): object {
  if (form.by === 'flag') return { flag: form.flag, subject: form.subject };
  return { kind: 'path', query: form.query, ...(form.input.trim() ? { input: JSON.parse(form.input) as unknown } : {}) };
}

export function Test({ source, flags }: { source: string; flags: FlagInfo[] }) {
  const [form, setForm] = useState<Choices>({ by: '', flag: '', subject: '', query: '', input: '' });
  const [result, setResult] = useState<Tested | null>(null);
  const [error, setError] = useState('');
  const flag = form.flag || (flags[0]?.key ?? '');
  const by = form.by || (flags.length ? 'flag' : 'path'); // flags may come later than the page
  const filled: Form = { ...form, by, flag };
  const set = (name: keyof Form) => (event: Event) => { setForm({ ...form, [name]: (event.currentTarget as HTMLInputElement).value }); setResult(null); };
  const path = `/v1/sources/${encodeURIComponent(source)}/test`;
  const ask = async (event: Event) => {
    event.preventDefault();
    setError('');
    try {
      setResult(await call<Tested>('POST', path, bodyOf(filled)));
    } catch (failure) {
      setResult(null);
      setError(failure instanceof SyntaxError ? t.events.badJson : (failure as Error).message);
    }
  };
  const s = t.sources;
  const words = by === 'flag' ? ['sources', 'test', source, '--flag', flag, '--subject', form.subject] : ['sources', 'test', source, form.query, ...(form.input ? ['--input', form.input] : [])];
  const ready = by === 'flag' ? flag !== '' && form.subject !== '' : form.query !== '';
  return (
    <details class="question">
      <summary>{s.test}</summary>
      <form class="form" onSubmit={ask}>
        <div class="pair">
          <label><span>{s.by}</span><select value={by} onChange={set('by')}><option value="flag">{s.byFlag}</option><option value="path">{s.byPath}</option></select></label>
          {by === 'flag' && <label><span>{t.columns.flag}</span><select value={flag} onChange={set('flag')}>{flags.map((one) => <option key={one.key}>{one.key}</option>)}</select></label>}
          {by === 'flag' && <label><span>{t.columns.subject}</span><input required value={form.subject} onInput={set('subject')} /></label>}
          {by === 'path' && <label><span>{s.query}</span><input required value={form.query} placeholder="app/rbac/allow" spellcheck={false} onInput={set('query')} /></label>}
        </div>
        {by === 'path' && <label><span>{s.input}</span><textarea rows={3} spellcheck={false} value={form.input} onInput={set('input')} /></label>}
        <p class="buttons"><span class="muted">{s.testHelp}</span><span class="grow" /><Copy text={command(...words)} label={t.copyCommand} />
          {ready && <Curl path={path} form={filled} />}<button type="submit" class="primary" disabled={!ready}>{s.ask}</button></p>
      </form>
      {error && <p class="bad" role="alert">{error}</p>}
      {result && <Answer result={result} />}
    </details>
  );
}

function Curl({ path, form }: { path: string; form: Form }) {
  try {
    return <Copy text={curl('POST', path, bodyOf(form))} label={t.copyCurl} />;
  } catch {
    return null; // no JSON yet
  }
}

function Answer({ result }: { result: Tested }) {
  return (
    <div class="decision" role="status">
      <p class="line"><code><bdi>{result.query}</bdi></code><Chip tone={result.error ? 'bad' : 'accent'}>{result.error ? result.error.code : result.state}</Chip>
        <span class="muted num">{t.sources.took(result.tookMs)}</span>
        {result.revision && <span class="muted num">{t.why.policy} {short(result.revision, 12)}</span>}{result.decision && <span class="muted num">{result.decision}</span>}</p>
      {result.error ? <p class="warned"><bdi>{result.error.message}</bdi></p> : <Json value={result.answer} />}
      {result.input !== undefined && <details><summary>{t.why.input}</summary><Json value={result.input} /></details>}
    </div>
  );
}
