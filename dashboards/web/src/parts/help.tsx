// SPDX-License-Identifier: Apache-2.0
import { helpOpen } from '../board.ts';
import { t } from '../text.ts';
import { Dialog } from './dialog.tsx';

export function Help() {
  if (!helpOpen.value) return null;
  return (
    <Dialog title={t.help.title} onClose={() => { helpOpen.value = false; }}>
      <dl class="keys">{t.help.rows.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
    </Dialog>
  );
}
