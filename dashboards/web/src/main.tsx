// SPDX-License-Identifier: Apache-2.0
import { render } from 'preact';
import { App } from './app.tsx';
import { loadSession, session } from './api.ts';
import { feed, setTheme, theme } from './board.ts';
import { listenToKeys } from './keys.ts';
import './style.css';
import './views.css';

setTheme(theme.value);
listenToKeys();
feed.start(); // beside the question of who one is, not behind it
void loadSession().catch(() => undefined).finally(() => {
  if (session.value === null) feed.stop();
  render(<App />, document.getElementById('board')!);
});
