// SPDX-License-Identifier: Apache-2.0
import { FlagstaffWebProvider } from '@flagstaff/web-provider';
import { OpenFeature, OpenFeatureProvider, useBooleanFlagValue, useContextMutator, useOpenFeatureClientStatus, useStringFlagValue } from '@openfeature/react-sdk';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';

function Page() {
  const [who, setWho] = useState('ada');
  const { setContext } = useContextMutator({ defaultContext: true }); // the page has one user
  const greeting = useStringFlagValue('greeting', 'Hello');
  const mayExport = useBooleanFlagValue('billing-export', false); // the default denies
  const status = useOpenFeatureClientStatus();
  const change = (event) => {
    setWho(event.target.value);
    setContext({ targetingKey: event.target.value });
  };
  return (
    <>
      <h1 id="greeting">{greeting}, {who}</h1>
      <p><label>Signed in as <select id="who" value={who} onChange={change}><option>ada</option><option>bo</option></select></label></p>
      {mayExport && <p><button id="export">Export the bills</button></p>}
      <p>Provider: <output id="status">{status}</output></p>
    </>
  );
}

// The daemon runs on this machine and never had a key, so it asks for none. Elsewhere: `ticket`, from your backend.
const url = new URLSearchParams(location.search).get('flagstaff') ?? 'http://127.0.0.1:8080';
OpenFeature.setProvider(new FlagstaffWebProvider({ url }), { targetingKey: 'ada' });

createRoot(document.getElementById('root')).render(
  // Without suspense: the page is there at once, with what denies, also where no daemon answers.
  <OpenFeatureProvider suspend={false}><Page /></OpenFeatureProvider>,
);
