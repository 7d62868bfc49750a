// SPDX-License-Identifier: Apache-2.0
// Every word that the board says, so that another language is one more file.
import { count } from './format.ts';

const many = (n: number, one: string, more = `${one}s`): string => `${count(n)} ${n === 1 ? one : more}`;

export const t = {
  name: 'Flagstaff',
  skip: 'Skip to content',
  views: { live: 'Live', flags: 'Flags', subjects: 'Subjects', events: 'Events', clients: 'Clients', sources: 'Sources' },
  navigation: 'Views',
  loading: 'Loading…',
  retry: 'Try again',
  close: 'Close',
  cancel: 'Cancel',
  copy: { show: 'copy', say: 'Copy' },
  copied: 'Copied',
  copyCurl: { show: 'curl', say: 'Copy as curl' },
  copyCommand: { show: 'command', say: 'Copy as flagstaff command' },
  more: 'More',
  none: 'none',
  session: { signOut: 'Sign out', role: { viewer: 'viewer', operator: 'operator', admin: 'admin' }, loopback: 'development: no key was ever made' },
  link: {
    live: 'live', connecting: 'connecting', staleWord: 'stale',
    stale: (age: string, wait: string) => `Not connected for ${age}. What you see is the last that was known; trying again in ${wait}.`,
    staleNow: (age: string) => `Not connected for ${age}. What you see is the last that was known; trying now.`,
    reconnect: 'Reconnect now',
    expired: 'Your session is over. Sign in again; what you see is the last that was known.',
  },
  signIn: {
    title: 'Sign in', key: 'API key', submit: 'Sign in',
    hint: 'A key with the scope read shows the board; operate and admin let you act. The key is exchanged for a session and not kept in the page.',
    make: 'Make one:', wrong: 'This key is not known here, or it lacks the scope read.', theme: 'Access decisions, live.',
  },
  pulse: { subjects: 'subjects', cells: 'cells', clients: 'clients', behind: 'behind', flips: 'flips/s', sources: 'sources up', overrides: 'overrides', journal: 'journal cannot be written' },
  columns: { subject: 'Subject', flag: 'Flag', value: 'Value', reason: 'Reason', source: 'Source', cause: 'Cause', age: 'Age', delivered: 'Delivered' },
  live: {
    title: 'Live', table: 'Flag values, live', search: 'Subject or flag', searchKey: 'Search  /', filter: 'Filter',
    filters: { subject: 'Subject', flag: 'Flag', variant: 'Variant', reason: 'Reason', source: 'Source' },
    sort: 'Sort', sorts: { subject: 'by subject', flag: 'by flag', changed: 'latest first' },
    group: 'Group', pause: 'Pause', resume: (n: number) => (n ? `Resume · ${count(n)} new` : 'Resume'),
    shown: (n: number, total: number) => (n < total ? `${count(n)} of ${count(total)}` : count(total)),
    values: (n: number, total: number) => (n < total ? `${count(n)} of ${many(total, 'value')}` : many(total, 'value')), clear: 'Clear filter',
    empty: 'Nobody watches a flag yet.', emptyHelp: 'Connect a client, or watch from a terminal:',
    nothing: 'No cell fits this filter.',
    groupOf: (n: number, on: number) => `${many(n, 'cell')}, ${count(on)} on`,
    announce: (flips: number, off: number) => `${many(flips, 'flag')} changed${off ? `, ${count(off)} turned off` : ''}.`,
    state: { watched: 'watched', streamed: 'over OFREP', seen: 'seen lately' },
    notDelivered: (behind: number) => `${many(behind, 'client')} not yet there`,
  },
  causes: { event: 'event', watch: 'first value', revalidate: 'asked again', timer: 'its time came', 'source-lost': 'source lost', config: 'configuration', override: 'override', start: 'start' } as Record<string, string>,
  why: {
    title: 'Why', of: (subject: string, flag: string) => `Why is ${flag} so for ${subject}?`, event: 'What happened', answers: 'What was asked and answered',
    rule: 'The rule, with the branch that decided', value: 'The value', clients: 'Who has it', permalink: { show: 'link', say: 'Copy link' }, noDecision: 'No source was asked: the flag itself decides.',
    noClients: 'No client holds this value now.', acknowledged: 'acknowledged', waiting: 'not yet', gone: 'disconnected', facts: 'Facts that were read', changed: 'changed',
    took: 'after the event', entry: 'entry', from: 'was', safe: 'This is the safe variant: the answer is not known.', taken: 'takes away', granted: 'grants or changes', decided: 'decided here', confirmed: 'confirmed', policy: 'policy', input: 'Input', missing: (fact: string) => `The fact ${fact} is missing.`,
    at: (time: string) => `As it was at ${time}`, notKept: (until: string) => `Nobody kept it current then: this is the last known value, until ${until}.`,
  },
  flag: {
    choose: 'Flags', rules: 'Definition', decisions: 'Decisions', who: 'Who has what', history: 'Flips over time', changes: 'Latest flips', access: 'access flag', ordinary: 'ordinary flag', disabled: 'disabled',
    kill: 'Kill', force: 'Force', release: 'Release', killed: 'Killed', forced: 'Forced', overrides: 'Overrides in force', until: 'until', noEnd: 'no end', by: 'by',
    never: 'No value of this flag is held now.', unknown: (key: string) => `There is no flag ${key}.`, plotLoading: 'Drawing…', flipsPer: (s: string) => `flips per ${s}`,
    empty: 'No flags are loaded.', emptyHelp: 'Name a flag file:', visible: { client: 'browsers may see it', server: 'servers only' }, noFlips: 'No flips are on record.',
  },
  act: {
    kill: (flag: string) => `Kill ${flag}`, force: (flag: string) => `Force ${flag}`, release: (flag: string) => `Release ${flag}`,
    killHelp: 'Everybody gets the safe variant at once, whatever sources say, until it is released or expires.',
    forceHelp: 'The variant is served whatever sources say. A variant that grants needs the role admin and an end.',
    releaseHelp: 'Sources and rules decide again.', subject: 'Only for this subject', subjectHelp: 'left out: everybody', variant: 'Variant', reason: 'Reason', reasonHelp: 'goes into the journal with your name',
    lasts: 'Lasts', forever: 'until released', blast: 'What this changes', blastNone: 'No value changes now.', counting: 'Counting…',
    affected: (contexts: number, subjects: number, clients: number) => `${many(contexts, 'value')} of ${many(subjects, 'subject')} change, on ${many(clients, 'connected client')}.`,
    and: (n: number) => `and ${count(n)} more`, confirm: 'Type the flag’s name to confirm', needsReason: 'A reason is needed.', readOnly: 'Your key may look, not act.',
  },
  receipt: {
    stagesTitle: 'Time since it was received', asked: 'sources', stages: { journaledMs: 'on disk', askedMs: 'sources asked', answeredMs: 'answered', evaluatedMs: 'evaluated', pushedMs: 'pushed', acknowledgedMs: 'acknowledged' },
    title: 'Receipt', filling: 'On its way to clients…', complete: 'Complete', acknowledged: 'acknowledged', behind: 'Behind', held: 'Disconnected, lease still running', unresolved: 'No answer from', ofrep: 'asked again over OFREP',
    safe: (time: string) => `No client can hold the old value after ${time}.`, concerned: (n: number) => `${many(n, 'watch', 'watches')} concerned`, gone: 'The receipt is not there any more.',
  },
  subject: {
    choose: 'Subjects', find: 'Subject, such as ada', open: 'Open', now: 'Now', at: 'At', flags: 'Flags', facts: 'Facts', clients: 'Clients', since: 'Since then', compare: 'Compare with', contexts: 'Context', contextsOf: (n: number) => many(n, 'context'), bare: 'no attributes', live: 'Back to now',
    empty: 'Nobody is known by this name now.', emptyHelp: 'A subject is known while it is watched, or holds a fact. Its past is in the journal:', noFacts: 'No facts are known.', noClients: 'No client watches for this subject.',
    slider: 'Moment', noHistory: 'The journal holds no flips of this subject.', expires: 'until', by: 'from', pick: 'Choose a subject', pickHelp: 'Type one, or take one of those that are live:', same: 'same', different: 'differs', nothingYet: 'no value yet',
  },
  events: {
    title: 'Events', list: 'Journal entries, the latest first', trigger: 'Trigger', dry: 'Try without effect', fire: 'Send', kind: 'Kind', recompute: 'Ask again', facts: 'Set facts', other: 'Any CloudEvent', subject: 'Subject', flag: 'Flag', source: 'Source', fact: 'Fact', value: 'Value, JSON or text', ttl: 'Holds for', forever: 'until changed', body: 'Event, JSON',
    would: 'What it would do', blind: 'This service cannot try events out beforehand. Send it, and the receipt tells what it did.', flips: (n: number) => many(n, 'flip'), questions: (n: number) => `${many(n, 'question')} asked`, superseded: 'A newer fact is known already: this one would change nothing.', noChange: 'Nothing would change.', empty: 'The journal has no events yet.', emptyHelp: 'Send one:', older: 'Older', all: 'any', badJson: 'This is no JSON.', sent: (n: number) => `Entry ${n}`, outcome: 'What it set off', select: 'Choose an entry to see its receipt.',
  },
  clients: {
    title: 'Clients', table: 'Connected clients, those behind first', session: 'Session', client: 'Client', subject: 'Subjects', address: 'Address', acked: 'Acknowledged', lease: 'Lease', since: 'Connected', state: 'State', disconnect: 'Disconnect', empty: 'No client is connected.', emptyHelp: 'Watch from a terminal:', sure: (id: string) => `Disconnect ${id}?`, help: 'It reconnects by itself where its key still stands. The reason goes into the journal.', ended: 'Disconnected.', lag: 'behind by', watches: (n: number) => many(n, 'watch', 'watches'), over: 'over',
  },
  sources: {
    title: 'Sources', table: 'Sources', name: 'Name', type: 'Type', state: 'State', since: 'Since', asked: 'Asked', failed: 'Failed', decisions: 'Decisions', revision: 'Revision', latency: 'Latency', error: 'Last error', empty: 'No source is configured.', emptyHelp: 'Flags without a source are decided by rules. To ask OPA:', allow: 'allow', deny: 'deny', value: 'value', errors: 'error', up: 'up', down: 'down', changed: 'Policy changed', mean: 'Latency, mean', slow: '99 % within', breaker: 'Breaker', closed: 'closed', open: (n: number) => `open: ${many(n, 'probe')} failed in a row`, slower: 'slower',
    test: 'Test a question', testHelp: 'It is asked now; nothing is kept and nothing changes.', by: 'Ask', byFlag: 'as a flag does', byPath: 'a query', query: 'Query', input: 'Input, JSON', ask: 'Ask', took: (ms: number) => `answered in ${ms} ms`, noAnswer: 'no answer',
    probe: 'Ask it again', flags: 'Flags that ask it',
  },
  palette: { title: 'Go to or do', placeholder: 'A view, a flag, a subject…', nothing: 'Nothing fits.', theme: 'Light or dark' },
  help: {
    title: 'Keys', rows: [['/', 'search'], ['Ctrl K', 'go to or do anything'], ['j k', 'next and previous row'], ['Enter', 'open the subject'], ['w', 'why'], ['f', 'open the flag'], ['Space', 'pause and resume'], ['g l f s e c o', 'Live, Flags, Subjects, Events, Clients, Sources'], ['t', 'trigger an event'], ['Esc', 'close'], ['?', 'this list']] as [string, string][],
  },
  theme: { auto: 'System’s colours', light: 'Light', dark: 'Dark', label: 'Colours' },
  error: { title: 'This did not work.', notFound: 'There is no such page.' },
};
