// SPDX-License-Identifier: Apache-2.0
// Kill, force and release: what it changes is shown before, a reason is asked for, and the receipt is shown after. Nothing
// is pretended: what the page shows comes from the feed and the receipt.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, call, may, queryOf } from '../api.ts';
import { command, curl } from '../commands.ts';
import { t } from '../text.ts';
import type { Dry, FlagInfo, Override, Receipt } from '../types.ts';
import { Blast } from '../parts/blast.tsx';
import { Copy } from '../parts/basics.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { ReceiptView } from '../parts/receipt.tsx';

export type Verb = 'kill' | 'force' | 'release';
const spans = ['5m', '30m', '2h', '1d', ''] as const;

interface Form { subject: string; variant: string; reason: string; lasts: string; confirm: string }

function requestOf(verb: Verb, flag: string, form: Form, more: Record<string, string | boolean>): { method: string; path: string; body?: object } {
  const subject = form.subject ? { subject: form.subject } : {};
  if (verb === 'release') return { method: 'DELETE', path: `/v1/overrides${queryOf({ flag, ...subject, reason: form.reason, ...more })}` };
  return {
    method: 'POST', path: `/v1/overrides${queryOf(more)}`,
    body: { flag, ...subject, kind: verb, ...(verb === 'force' ? { variant: form.variant } : {}), reason: form.reason || '-', ...(form.lasts ? { for: form.lasts } : {}) },
  };
}

export function Act({ verb, flag, overrides, onClose }: { verb: Verb; flag: FlagInfo; overrides: Override[]; onClose: () => void }) {
  const variants = Object.keys((flag.definition?.['variants'] as object | undefined) ?? {});
  const [form, setForm] = useState<Form>({ subject: '', variant: variants.at(-1) ?? '', reason: '', lasts: verb === 'kill' ? '' : '30m', confirm: '' });
  const [dry, setDry] = useState<Dry | null>(null);
  const [error, setError] = useState('');
  const [entry, setEntry] = useState(0);
  const [busy, setBusy] = useState(false);
  const set = (name: keyof Form) => (event: Event) => setForm({ ...form, [name]: (event.currentTarget as HTMLInputElement).value });
  useEffect(() => {
    let live = true;
    if (busy || entry) return undefined;
    setDry(null);
    const timer = setTimeout(async () => {
      const { method, path, body } = requestOf(verb, flag.key, { ...form, reason: 'dry run' }, { dry_run: true });
      try {
        const answer = await call<Dry>(method, path, body);
        if (live) { setDry(answer); setError(''); }
      } catch (failure) {
        if (live) setError((failure as Error).message);
      }
    }, 150);
    return () => { live = false; clearTimeout(timer); };
  }, [form.subject, form.variant, form.lasts]);
  const everybody = verb === 'kill' && !form.subject && flag.access;
  const allowed = may('operate');
  const ready = allowed && form.reason.trim() !== '' && (!everybody || form.confirm === flag.key) && !busy;
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!ready) return;
    setBusy(true);
    try {
      const { method, path, body } = requestOf(verb, flag.key, form, { wait: 'applied' });
      const receipt = await call<Receipt>(method, path, body);
      setEntry(receipt.entry);
      setError('');
    } catch (failure) {
      setError(failure instanceof ApiError ? failure.message : String(failure));
    }
    setBusy(false);
  };
  const a = t.act;
  const now = requestOf(verb, flag.key, form, { wait: 'delivered' });
  const words = [verb, flag.key, ...(verb === 'force' ? [form.variant] : []), ...(form.subject ? ['--subject', form.subject] : []), '--reason', form.reason || '…', ...(form.lasts && verb !== 'release' ? ['--for', form.lasts] : [])];
  return (
    <Dialog title={a[verb](flag.key)} onClose={onClose} kind="act">
      {entry > 0 ? (
        <div class="form"><ReceiptView entry={entry} /><p class="buttons"><button type="button" class="primary" onClick={onClose}>{t.close}</button></p></div>
      ) : (
        <form class="form" onSubmit={submit}>
          <p class="muted">{verb === 'kill' ? a.killHelp : verb === 'force' ? a.forceHelp : a.releaseHelp}</p>
          {verb === 'release' && overrides.map((one) => <p key={one.id} class="line"><strong>{one.kind}</strong> <bdi>{one.subject ?? ''}</bdi> <span class="muted"><bdi>{one.reason}</bdi> · {t.flag.by} <bdi>{one.author}</bdi></span></p>)}
          <div class="pair">
            <label><span>{a.subject}</span><input value={form.subject} placeholder={a.subjectHelp} onInput={set('subject')} /></label>
            {verb === 'force' && <label><span>{a.variant}</span><select value={form.variant} onChange={set('variant')}>{variants.map((name) => <option key={name}>{name}</option>)}</select></label>}
            {verb !== 'release' && <label><span>{a.lasts}</span><select value={form.lasts} onChange={set('lasts')}>{spans.map((name) => <option key={name} value={name}>{name || a.forever}</option>)}</select></label>}
          </div>
          <label><span>{a.reason}</span><input value={form.reason} required placeholder={a.reasonHelp} onInput={set('reason')} /></label>
          <section class="before" aria-live="polite"><h3>{a.blast}</h3>{dry ? <Blast dry={dry} /> : !error && <p class="muted">{a.counting}</p>}</section>
          {everybody && <label><span>{a.confirm}: <code>{flag.key}</code></span><input value={form.confirm} autoComplete="off" spellcheck={false} onInput={set('confirm')} /></label>}
          {error && <p class="bad" role="alert">{error}</p>}
          {!allowed && <p class="warned">{a.readOnly}</p>}
          <p class="buttons">
            <Copy text={command(...words)} label={t.copyCommand} /><Copy text={curl(now.method, now.path, now.body)} label={t.copyCurl} /><span class="grow" />
            <button type="button" onClick={onClose}>{t.cancel}</button>
            <button type="submit" class={verb === 'kill' ? 'danger primary' : 'primary'} disabled={!ready}>{t.flag[verb]}</button>
          </p>
        </form>
      )}
    </Dialog>
  );
}
