// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';
import { ApiError, signIn } from '../api.ts';
import { t } from '../text.ts';

export function SignIn() {
  const [key, setKey] = useState('');
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError('');
    try {
      await signIn(key.trim());
    } catch (failure) {
      setError(failure instanceof ApiError && failure.status === 401 ? t.signIn.wrong : (failure as Error).message);
    }
    setBusy(false);
    setKey('');
  };
  return (
    <main class="sign-in" id="content">
      <form onSubmit={submit}>
        <p class="brand"><Mark /> {t.name}</p>
        <h1>{t.signIn.title}</h1>
        <label><span>{t.signIn.key}</span>
          <input type="password" autoComplete="current-password" spellcheck={false} required value={key} aria-describedby="key-hint"
            onInput={(event) => setKey(event.currentTarget.value)} ref={(input) => { if (input && document.activeElement === document.body) input.focus(); }} /></label>
        {error && <p class="bad" role="alert">{error}</p>}
        <button type="submit" class="primary" disabled={busy || !key}>{t.signIn.submit}</button>
        <p class="muted" id="key-hint">{t.signIn.hint}</p>
        <p class="muted">{t.signIn.make} <code>flagstaff keys add --name board --scope read --scope operate</code></p>
      </form>
    </main>
  );
}

export function Mark() {
  return <svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><path class="pole" d="M7 3v26" /><path class="cloth" d="M9 5h17l-5 6 5 6H9z" /></svg>;
}
