// SPDX-License-Identifier: Apache-2.0
// A modal dialog: the browser's own, which keeps the focus inside and gives it back.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../text.ts';

export function Dialog({ title, onClose, kind = '', children }: { title: string; onClose: () => void; kind?: string; children: ComponentChildren }) {
  const at = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => { // before the next key: what one types goes into it
    at.current?.showModal();
    at.current?.querySelector<HTMLElement>('input, select, textarea')?.focus();
    return () => at.current?.close();
  }, []);
  return (
    <dialog ref={at} class={kind} aria-label={title} onCancel={(event) => { event.preventDefault(); onClose(); }}
      onClick={(event) => { if (event.target === at.current) onClose(); }}>
      <div class="dialog">
        <header><h2>{title}</h2><button type="button" class="quiet" aria-label={t.close} onClick={onClose}>✕</button></header>
        {children}
      </div>
    </dialog>
  );
}
