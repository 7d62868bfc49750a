// SPDX-License-Identifier: Apache-2.0
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';
import { FlagstaffWebProvider } from '@flagstaff/web-provider';

const at = (id) => document.getElementById(id);
const client = OpenFeature.getClient();

function show() {
  at('greeting').textContent = `${client.getStringValue('greeting', 'Hello')}, ${at('who').value}`;
  at('export').hidden = !client.getBooleanValue('billing-export', false); // the default denies
  at('status').textContent = client.providerStatus;
}

for (const event of Object.values(ProviderEvents)) client.addHandler(event, show);
at('who').addEventListener('change', () => { OpenFeature.setContext({ targetingKey: at('who').value }); });

// The daemon runs on this machine and never had a key, so it asks for none. Elsewhere: `ticket`, from your backend.
const provider = new FlagstaffWebProvider({ url: new URLSearchParams(location.search).get('flagstaff') ?? 'http://127.0.0.1:8080', log: console.info });
OpenFeature.setProvider(provider, { targetingKey: at('who').value });
show();
