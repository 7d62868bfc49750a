// SPDX-License-Identifier: Apache-2.0
import { render } from 'preact';
import { App } from './app.tsx';
import { loadSession } from './api.ts';
import { setTheme, theme } from './board.ts';
import { listenToKeys } from './keys.ts';
import './style.css';
import './views.css';

setTheme(theme.value);
listenToKeys();
void loadSession().catch(() => undefined).finally(() => render(<App />, document.getElementById('board')!));
