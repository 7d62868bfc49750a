// SPDX-License-Identifier: Apache-2.0
// The one feed of this page, what is selected and what is open.
import { signal } from '@preact/signals';
import { feedAddress, loadSession } from './api.ts';
import { Feed } from './feed.ts';
import { go } from './router.ts';

export const feed = new Feed(feedAddress(), loadSession);

export interface Asked { subject: string; flag: string; context?: string; at?: string }
/** Whose value the why drawer explains. */
export const asked = signal<Asked | null>(null);
export const paletteOpen = signal(false);
export const helpOpen = signal(false);
/** Somebody is about to write an event: its form takes the focus when it is there. */
export const triggering = signal(false);
export function trigger(): void {
  triggering.value = true;
  go('events');
}

/** What screen readers are told; a view's own summary, at most every five seconds. */
export const announcement = signal('');

export type Theme = 'auto' | 'light' | 'dark';
const kept = ((): string | null => {
  try { return localStorage.getItem('theme'); } catch { return null; }
})();
export const theme = signal<Theme>(kept === 'light' || kept === 'dark' ? kept : 'auto');

export function setTheme(next: Theme): void {
  theme.value = next;
  document.documentElement.dataset['theme'] = next;
  try { localStorage.setItem('theme', next); } catch { /* a page without storage forgets */ }
}
