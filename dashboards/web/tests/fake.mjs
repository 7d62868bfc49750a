// SPDX-License-Identifier: Apache-2.0
// A service of a few hundred lines that speaks the board's interface, for tests: the files of `dist`, the routes, the
// feed. Nothing moves by itself but the pulse; a test says what flips.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer } from 'ws';

const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const SAFE = { variant: 'off', value: false };
const iso = (ms) => new Date(ms).toISOString();
const hash = (text) => Buffer.from(text.padEnd(32, '~')).toString('hex').slice(0, 64);

export const HOSTILE = '<img src=x onerror="document.title=\'owned\'">\u202e"\'&';

const rule = { if: [{ '<': [{ var: 'facts.risk' }, 70] }, { '==': [{ var: 'facts.employment' }, 'active'] }, false] };
const FLAGS = {
  'billing-export': { type: 'boolean', access: true, sources: ['opa'], definition: { variants: { on: true, off: false }, defaultVariant: 'off', decision: { source: 'opa', path: 'app/rbac/allow', input: { user: { var: 'targetingKey' } } } } },
  'approve-payments': { type: 'boolean', access: true, sources: ['builtin'], definition: { variants: { on: true, off: false }, defaultVariant: 'off', factDefaults: { risk: 100 }, decision: { rule }, targeting: { if: [{ and: [{ var: 'decision.allowed' }, { '==': [{ var: 'kind' }, 'user'] }] }, 'on', 'off'] } } },
  'agent-tools': { type: 'object', access: true, sources: ['builtin'], definition: { type: 'object', decision: { rule: { var: 'facts.tools' } }, value: { var: 'decision.value' }, safeValue: [] } },
  'delete-customer': { type: 'boolean', access: true, sources: ['opa'], definition: { variants: { on: true, off: false }, defaultVariant: 'off', decision: { source: 'opa', path: 'app/rbac/delete' } } },
  'new-menu': { type: 'boolean', access: false, sources: [], definition: { variants: { on: true, off: false }, defaultVariant: 'off', targeting: { fractional: [['on', 50], ['off', 50]] } } },
};
const SUBJECTS = ['ada', 'bo', 'carol', 'dmitri', 'elif', 'farid', 'grace', 'hiro', 'invoice-bot', 'mail-agent', 'report-agent', 'zoe'];

export class Fake {
  constructor(options = {}) {
    this.options = { dist: null, cells: null, hostile: false, empty: false, signedOut: false, role: 'admin', mode: 'session', ...options };
    this.epoch = 'e-fake';
    this.url = '';
    this.refusing = false; // websockets only
    this.gone = '';
    this.revision = 1;
    this.entry = 100;
    this.boards = new Set();
    this.requests = [];
    this.overrides = [];
    this.entries = [];
    this.signedIn = !this.options.signedOut;
    this.cells = new Map();
    this.fill();
  }

  fill() {
    const now = Date.now();
    if (this.options.empty) return;
    if (this.options.cells) {
      for (let i = 0; i < this.options.cells; i++)
        this.add(i + 1, `user-${String(Math.floor(i / 5)).padStart(5, '0')}`, Object.keys(FLAGS)[i % 5], { changed: now - i });
      return;
    }
    const subjects = this.options.hostile ? [...SUBJECTS, HOSTILE, 'x'.repeat(10_000)] : SUBJECTS;
    let n = 0;
    for (const subject of subjects)
      for (const flag of [...Object.keys(FLAGS), ...(this.options.hostile ? [`flag ${HOSTILE}`] : [])]) {
        n++;
        const more = n % 13 === 0 ? { reason: 'STALE' } : n % 29 === 0 ? { reason: 'ERROR', error: this.options.hostile ? HOSTILE : 'opa: no answer within 500 ms' } : {};
        this.add(n, subject, flag, { changed: now - ((n * 7919) % 5400) * 1000, ...more });
      }
    for (let i = 0; i < 24; i++) {
      const subject = subjects[(i * 5) % subjects.length];
      this.entries.push({
        entry: 100 - i, kind: i % 7 === 3 ? 'override' : i % 5 === 4 ? 'source' : 'event', time: iso(now - i * 41_000), type: ['flagstaff.facts', 'flagstaff.recompute', 'caep.session-revoked'][i % 3],
        source: ['/hr', '/risk-engine', 'https://idp.example'][i % 3], id: `ev-${400 - i}`, ...(i % 7 === 3 ? { author: 'Mara' } : { credential: 'ci' }), subject, flips: (i * 3) % 5,
        summary: this.options.hostile && !i ? HOSTILE : [`risk of ${subject} is 85`, 'opa: policy 4f2c', `session of ${subject} revoked`][i % 3],
      });
    }
  }

  add(cell, subject, flag, more = {}) {
    const object = flag === 'agent-tools';
    const on = ((cell * 2654435761) >>> 7) % 5 > 1;
    const agent = subject.includes('agent') || subject.includes('bot');
    this.cells.set(cell, {
      cell, subject, context: hash(subject), flag, variant: object ? 'decision' : on ? 'on' : 'off',
      value: object ? (on ? ['search', 'draft', ...(agent ? ['send'] : [])] : []) : on, reason: 'TARGETING_MATCH', source: FLAGS[flag]?.sources[0] ?? null,
      causeKind: cell % 4 ? 'event' : 'watch', causeEntry: cell % 4 ? 60 + (cell % 40) : null, causeTime: (more.changed ?? Date.now()) - 4 - (cell % 9),
      changed: Date.now(), revision: this.revision, acked: cell % 11 === 0 ? 1 : 2, watching: 2, state: cell % 17 === 0 ? 'seen' : cell % 19 === 0 ? 'streamed' : 'watched', error: null, ...more,
    });
  }

  async start(port = 0) {
    this.http = createServer((request, response) => this.answer(request, response));
    this.sockets = new WebSocketServer({ noServer: true, handleProtocols: (set) => (set.has('flagstaff.board.v1') ? 'flagstaff.board.v1' : false) });
    this.http.on('upgrade', (request, socket, head) => {
      if (!request.url.startsWith('/v1/board') || !this.signedIn || this.refusing) { socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n'); return; }
      this.sockets.handleUpgrade(request, socket, head, (ws) => this.open(ws));
    });
    await new Promise((done) => this.http.listen(port, '127.0.0.1', done));
    this.port = this.http.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
    this.timer = setInterval(() => this.pulse(), 1000);
    return this;
  }

  async stop() {
    clearInterval(this.timer);
    for (const board of this.boards) board.ws.terminate();
    this.http.closeAllConnections();
    await new Promise((done) => this.http.close(done));
  }

  // --- the feed ---

  open(ws) {
    const board = { ws, views: new Map(), frames: [], entries: false };
    this.boards.add(board);
    ws.on('close', () => this.boards.delete(board));
    ws.on('message', (data) => {
      const frame = JSON.parse(String(data));
      board.frames.push(frame);
      if (frame.type === 'view') this.view(board, frame);
      if (frame.type === 'unview') board.views.delete(frame.id);
      if (frame.type === 'entries') board.entries = frame.on;
    });
    ws.send(JSON.stringify({ type: 'welcome', epoch: this.epoch, revision: this.revision, time: iso(Date.now()), version: '0.1.0', limits: { views: 4, rows: 10000 } }));
    this.pulse();
  }

  wanted(filter) {
    const pattern = (want, have) => !want || new RegExp(`^${want.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 's').test(have ?? '');
    return [...this.cells.values()].filter((c) => (!filter.q || c.subject.includes(filter.q) || c.flag.includes(filter.q)) &&
      ['subject', 'flag', 'variant', 'reason', 'source'].every((name) => pattern(filter[name], c[name])));
  }

  row(c, put) {
    return [c.cell, put(c.subject), put(c.context), put(c.flag), put(c.variant), c.value, put(c.reason), c.source === null ? null : put(c.source), put(c.causeKind), c.causeEntry, c.causeTime,
      c.changed, c.revision, c.acked, c.watching, put(c.state), c.error === null ? null : put(c.error), put(c.causeEntry ? `facts from hr: risk=${c.cell}` : 'policy 4f2c91 at opa')];
  }

  view(board, frame) {
    const { id, filter, limit, since } = frame;
    board.views.set(id, frame);
    const all = this.wanted(filter);
    if (since && since.epoch === this.epoch) {
      const rows = all.filter((c) => c.revision > since.revision).map((c) => this.row(c, (t) => t));
      board.ws.send(JSON.stringify({ type: 'changes', id, revision: this.revision, total: all.length, rows, gone: [], whole: true }));
      return;
    }
    const by = { subject: (c) => c.subject + c.flag, flag: (c) => c.flag + c.subject, changed: (c) => -c.changed }[frame.sort];
    const sorted = all.map((c) => [by(c), c]).sort((a, b) => (a[0] < b[0] ? -1 : 1)).slice(0, limit).map(([, c]) => c);
    for (let at = 0; at === 0 || at < sorted.length; at += 400) {
      const dict = [], known = new Map();
      const put = (text) => { if (!known.has(text)) { known.set(text, dict.length); dict.push(text); } return known.get(text); };
      const rows = sorted.slice(at, at + 400).map((c) => this.row(c, put));
      board.ws.send(JSON.stringify({ type: 'rows', id, revision: this.revision, total: all.length, dict, rows, ...(at ? {} : { first: true }), ...(at + 400 < sorted.length ? { more: true } : all.length <= limit ? { whole: true } : {}) }));
    }
  }

  /** These cells have new values now, as one revision. */
  change(cells) {
    this.revision++;
    for (const c of cells) { c.revision = this.revision; this.cells.set(c.cell, c); }
    this.flips = (this.flips ?? 0) + cells.length;
    for (const board of this.boards)
      for (const [id, view] of board.views) {
        const fitting = cells.filter((c) => this.wantedOne(view.filter, c));
        if (fitting.length) board.ws.send(JSON.stringify({ type: 'changes', id, revision: this.revision, total: this.cells.size, rows: fitting.map((c) => this.row(c, (t) => t)), gone: [], ...(this.wanted(view.filter).length <= view.limit ? { whole: true } : {}) }));
      }
  }

  wantedOne(filter, c) {
    if (!Object.values(filter).some(Boolean)) return true;
    const all = this.cells;
    this.cells = new Map([[c.cell, c]]);
    const fits = this.wanted(filter).length > 0;
    this.cells = all;
    return fits;
  }

  flip(cell, entry = ++this.entry) {
    const c = { ...this.cells.get(cell) };
    c.value = Array.isArray(c.value) ? (c.value.length ? [] : ['search']) : !c.value;
    c.variant = c.value === true ? 'on' : c.value === false ? 'off' : c.variant;
    Object.assign(c, { causeKind: 'event', causeEntry: entry, causeTime: Date.now() - 3, changed: Date.now(), acked: 0 });
    return c;
  }

  deliver(cells) {
    for (const board of this.boards)
      for (const [id] of board.views) board.ws.send(JSON.stringify({ type: 'delivered', id, cells }));
  }

  tell(entry) {
    this.entries.unshift(entry);
    for (const board of this.boards) if (board.entries) board.ws.send(JSON.stringify({ type: 'entries', entries: [entry] }));
  }

  pulse() {
    const cells = [...this.cells.values()];
    const frame = { type: 'pulse', time: iso(Date.now()), subjects: new Set(cells.map((c) => c.subject)).size, contexts: new Set(cells.map((c) => c.context)).size, cells: cells.length, clients: this.options.empty ? 0 : 7, behind: this.options.empty ? 0 : 1,
      flips: this.flips ?? 0, sources: [{ name: 'builtin', state: 'up' }, { name: 'opa', state: 'up' }, { name: 'authzen', state: 'down' }], overrides: this.overrides.length, journal: { healthy: true } };
    this.flips = 0;
    for (const board of this.boards) board.ws.send(JSON.stringify(frame));
  }

  // --- HTTP ---

  answer(request, response) {
    let body = '';
    request.on('data', (part) => { body += part; });
    request.on('end', () => {
      const url = new URL(request.url, this.url);
      const seen = { method: request.method, path: url.pathname, params: Object.fromEntries(url.searchParams), headers: request.headers, body: body ? JSON.parse(body) : undefined };
      this.requests.push(seen);
      if (request.method === 'GET' && (url.pathname === '/' || url.pathname.startsWith('/board/'))) { this.file(url.pathname, response); return; }
      const [status, json, headers] = this.route(seen);
      response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers });
      response.end(json === undefined ? '' : JSON.stringify(json));
    });
  }

  file(path, response) {
    try {
      const name = path === '/' ? 'index.html' : normalize(path.slice('/board/'.length));
      const bytes = readFileSync(join(this.options.dist, name));
      response.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream', 'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  }

  fail(status, code, message) { return [status, { error: { code, message } }]; }

  route({ method, path, params, headers, body }) {
    if (path === '/v1/session' && method === 'POST') {
      if (body.key !== 'right') return this.fail(401, 'unauthenticated', 'this key is not known');
      this.signedIn = true;
      return [204, undefined, { 'Set-Cookie': 'flagstaff_session=fake; HttpOnly; SameSite=Strict; Path=/' }];
    }
    if (!this.signedIn) return this.fail(401, 'unauthenticated', `${path} needs a credential`);
    if (path === '/v1/session' && method === 'DELETE') { this.signedIn = false; return [204]; }
    if (method !== 'GET' && this.options.mode === 'session' && headers['x-flagstaff-csrf'] !== 'token') return this.fail(403, 'csrf', 'the header X-Flagstaff-Csrf is missing or wrong');
    if (path === '/v1/session') {
      const scopes = { viewer: ['read'], operator: ['read', 'operate'], admin: ['read', 'operate', 'admin'] }[this.options.role];
      return [200, { operator: { id: 'k1', name: this.options.hostile ? HOSTILE : 'Mara', role: this.options.role, scopes }, csrf: 'token', expires: iso(Date.now() + 4e7), mode: this.options.mode, version: '0.1.0', epoch: this.epoch }];
    }
    const cells = [...this.cells.values()];
    const mine = cells.filter((c) => (!params.subject || c.subject === params.subject) && (!params.flag || c.flag === params.flag));
    const keys = [...new Set([...Object.keys(FLAGS), ...cells.map((c) => c.flag)])];
    if (method === 'DELETE' && path.startsWith('/v1/clients/')) { this.gone = path.slice(12); return [204]; }
    switch (`${method} ${path.replace(/\/\d+$/, '/N')}`) {
      case 'GET /v1/flags': return [200, { flags: this.options.empty ? [] : keys.map((key) => ({ key, enabled: key !== 'new-menu', visibility: 'client', file: 'flags.yaml', line: 3, ...(FLAGS[key] ?? FLAGS['new-menu']) })) }];
      case 'GET /v1/contexts': return [200, { contexts: [...new Set(mine.map((c) => c.subject))].map((subject) => this.context(subject, cells)) }];
      case 'GET /v1/clients': return [200, this.clients(params)];
      case 'GET /v1/sources': return [200, { sources: this.options.empty ? [] : this.sources() }];
      case 'GET /v1/facts': return [200, { subject: params.subject, facts: this.options.empty ? [] : [{ fact: 'employment', value: 'active', entry: 61, credential: 'hr', time: iso(Date.now() - 3.6e6) }, { fact: 'risk', value: 12, entry: 88, credential: 'risk-engine', time: iso(Date.now() - 9e4), expires: iso(Date.now() + 6e5) }] }];
      case 'GET /v1/history': return [200, { changes: this.options.empty ? [] : this.changes(mine) }];
      case 'GET /v1/why': return mine[0] && !this.options.empty ? [200, this.why(mine[0], params.at)] : this.fail(404, 'not-found', 'no value is known: nobody watches it now');
      case 'GET /v1/who': return [200, this.who(mine, params)];
      case 'GET /v1/entries': return [200, this.page(params)];
      case 'GET /v1/receipts/N': return [200, this.receipt(Number(path.split('/').at(-1)))];
      case 'GET /v1/overrides': return [200, { overrides: this.overrides }];
      case 'POST /v1/overrides': return this.override(body, params, mine);
      case 'DELETE /v1/overrides': return this.release(params);
      case 'POST /v1/sources/opa/test': return body.query === 'no/such' ? [200, { source: 'opa', kind: 'path', query: 'no/such', revision: null, tookMs: 0.8, state: 'none', answer: null, error: { code: 'none', message: 'OPA answered 500' } }]
        : [200, { source: 'opa', kind: 'path', query: body.query ?? 'app/rbac/allow', input: body.input ?? { user: body.subject }, revision: '4f2c91', tookMs: 1.2, state: 'value', answer: true, decision: 'd-7', error: null }];
      case 'POST /v1/events': return params.dry_run ? [200, { ...this.dry(cells.slice(0, 4)), event: { type: body.type }, flips: 4, unresolved: [{ source: 'authzen', query: 'access', error: 'connection refused', count: 2 }] }] : [202, this.receipt(++this.entry)];
      default: return this.fail(404, 'not-found', `there is nothing at ${path}`);
    }
  }

  context(subject, cells) {
    return { hash: hash(subject), subject, context: { targetingKey: subject, kind: subject.includes('bot') ? 'agent' : 'user' }, watches: 2, facts: { employment: 'active', risk: 12 },
      flags: Object.fromEntries(cells.filter((c) => c.subject === subject).map((c) => [c.flag, { variant: c.variant, reason: c.reason, value: c.value, safe: c.reason === 'ERROR', cause: { kind: c.causeKind, count: 1, entries: c.causeEntry ? [c.causeEntry] : [], time: iso(c.causeTime) }, changed: iso(c.changed) }])) };
  }

  clients({ subject } = {}) {
    if (this.options.empty) return { clients: [], total: 0 };
    const list = ['@flagstaff/web-provider', 'flagstaff watch', 'libopenfeature/live', '@flagstaff/web-provider', 'flagstaff watch', 'checkout', 'agent-runner'].map((client, i) => ({
      session: `s-${(i + 11) * 7919}`, channel: 'websocket', client, version: '0.1.0', credential: i % 2 ? 'web' : 'ops', address: `10.0.0.${i + 4}`, state: i === 3 ? 'behind' : 'current', sent: this.revision + 5, acknowledged: this.revision + (i === 3 ? 2 : 5),
      watches: [{ watch: 1, subject: this.options.hostile && !i ? HOSTILE : SUBJECTS[i], context: hash(SUBJECTS[i]), view: 'v', resumed: false }], watchCount: 1, opened: iso(Date.now() - (i + 1) * 6.1e5), leaseUntil: iso(Date.now() + (i === 3 ? 4000 : 24_000)) }));
    const found = list.filter((c) => c.session !== this.gone && (!subject || c.watches.some((w) => w.subject === subject)));
    return { clients: found, total: found.length };
  }

  sources() {
    const latency = { count: 412, sumMs: 733.4, buckets: [[0.1, 0], [0.5, 20], [1, 140], [2, 320], [5, 390], [10, 408], [50, 412], [100, 412], [null, 412]].map(([leMs, count]) => ({ leMs, count })) };
    return [{ name: 'builtin', type: 'builtin', state: 'up', asked: 0, failed: 0, decisions: { allow: 0, deny: 0, value: 0, error: 0 }, since: iso(Date.now() - 8e6) },
      { name: 'opa', type: 'opa', state: 'up', revision: '4f2c91', asked: 412, failed: 3, decisions: { allow: 250, deny: 159, value: 0, error: 3 }, latency, changed: iso(Date.now() - 9e5), breaker: { state: 'closed', failures: 0 }, since: iso(Date.now() - 8e6) },
      { name: 'authzen', type: 'authzen', state: 'down', asked: 77, failed: 12, decisions: { allow: 40, deny: 25, value: 0, error: 12 }, breaker: { state: 'open', failures: 32 }, error: this.options.hostile ? HOSTILE : 'connection refused (10.0.0.9:8181)', since: iso(Date.now() - 3.2e4) }];
  }

  changes(cells) {
    const now = Date.now();
    return Array.from({ length: Math.min(60, cells.length * 6) }, (_, i) => {
      const c = cells[i % cells.length];
      const on = (i + c.cell) % 2 === 0;
      return { answers: [], flag: c.flag, contexts: [{ subject: c.subject, contextHash: c.context }], cause: { kind: 'event', count: 1, entries: [99 - i], time: iso(now - i * 71_000 - 6) }, causeText: 'facts from hr: risk=12', takesAway: !on,
        from: i > 50 ? null : { variant: on ? 'off' : 'on', value: !on, reason: 'TARGETING_MATCH' }, to: { variant: on ? 'on' : 'off', value: on, reason: 'TARGETING_MATCH' }, entry: 99 - i, revision: 60 - i, epoch: this.epoch, time: iso(now - i * 71_000) };
    });
  }

  why(c, at) {
    const cause = { kind: c.causeKind, count: 1, entries: c.causeEntry ? [c.causeEntry] : [], time: iso(c.causeTime) };
    if (at) return { ...this.changes([c])[3], time: at };
    const value = { variant: c.variant, reason: c.reason, value: c.value, safe: c.reason === 'ERROR' };
    return { subject: c.subject, flag: c.flag, contextHash: c.context, context: { targetingKey: c.subject }, value, revision: c.revision, cause, causeText: 'facts from hr: risk=12', changed: iso(c.changed), facts: { employment: 'active', risk: 12 }, definition: FLAGS[c.flag]?.definition ?? {}, ...(c.flag === 'approve-payments' ? { branch: c.value ? '/if/1' : '/if/2' } : {}),
      decisions: [{ source: 'opa', kind: 'path', query: 'app/rbac/allow', state: c.value ? 'allowed' : 'denied', revision: '4f2c91', decisionId: 'd-9e11', confirmed: iso(Date.now() - 800), input: { user: c.subject, action: 'export' } },
        { source: 'builtin', kind: 'rule', query: JSON.stringify(rule), state: 'value', value: true }],
      clients: [{ session: 's-79190', client: '@flagstaff/web-provider', connected: true, acknowledged: true }, { session: 's-87109', client: 'checkout', connected: true, acknowledged: false }] };
  }

  who(cells, { variant }) {
    const variants = {};
    for (const c of cells) variants[c.variant] = (variants[c.variant] ?? 0) + 1;
    return { flag: cells[0]?.flag, variants, contexts: cells.filter((c) => !variant || c.variant === variant).map((c) => ({ subject: c.subject, contextHash: c.context, variant: c.variant, value: c.value, reason: c.reason, since: iso(c.changed) })) };
  }

  page({ before, limit = 50, kind }) {
    const all = this.entries.filter((e) => (!before || e.entry < Number(before)) && (!kind || e.kind === kind));
    return { entries: all.slice(0, Number(limit)), ...(all.length > Number(limit) ? { next: all[Number(limit) - 1].entry } : {}) };
  }

  receipt(entry) {
    this.polls = { ...this.polls, [entry]: ((this.polls ?? {})[entry] ?? 0) + 1 };
    const acknowledged = Math.min(4, this.polls[entry]);
    const now = Date.now();
    return { entry, applied: true, complete: acknowledged === 4, concerned: 4, acknowledged, behindCount: 4 - acknowledged, heldCount: 0, expired: 0, behind: acknowledged < 4 ? [{ session: 's-87109', client: 'checkout', subject: 'bo' }] : [], held: [],
      ofrep: { concerned: 1, fetched: 1 }, unresolved: [], questions: 4, flips: 4, stages: { journaledMs: 2, askedMs: 3, answeredMs: 11, evaluatedMs: 11, pushedMs: 12, ...(acknowledged ? { acknowledgedMs: 19 } : {}) }, times: { accepted: iso(now - 40), applied: iso(now - 36), queued: iso(now - 35) }, revision: this.revision, safe_at: iso(now + 9000) };
  }

  dry(cells) {
    return { dry_run: true, contexts: cells.length, subjects: new Set(cells.map((c) => c.subject)).size, clients: 3, changes: cells.slice(0, 100).map((c) => ({ flag: c.flag, subject: c.subject, contextHash: c.context, from: { variant: c.variant, value: c.value }, to: SAFE })), more: 0 };
  }

  override(body, params, _) {
    const hit = [...this.cells.values()].filter((c) => c.flag === body.flag && (!body.subject || c.subject === body.subject) && c.value !== false);
    if (params.dry_run) return [200, this.dry(hit)];
    if (this.options.role === 'viewer') return this.fail(403, 'forbidden', 'the credential lacks the scope for /v1/overrides');
    const entry = ++this.entry;
    this.overrides = [...this.overrides.filter((o) => o.flag !== body.flag), { id: entry, flag: body.flag, subject: body.subject, kind: body.kind, variant: body.variant, author: 'Mara', reason: body.reason, time: iso(Date.now()), ...(body.for ? { expires: iso(Date.now() + 18e5) } : {}) }];
    this.change(hit.map((c) => ({ ...c, value: false, variant: 'off', reason: 'DISABLED', causeKind: 'override', causeEntry: entry, causeTime: Date.now(), changed: Date.now(), acked: 0 })));
    this.polls = { ...this.polls, [entry]: 0 };
    return [200, this.receipt(entry)];
  }

  release(params) {
    if (params.dry_run) return [200, this.dry([])];
    this.overrides = this.overrides.filter((o) => o.flag !== params.flag);
    return [200, this.receipt(++this.entry)];
  }
}

// `node tests/fake.mjs DIST [PORT]`: to look at the board without a service.
if (process.argv[1]?.endsWith('fake.mjs')) {
  const fake = await new Fake({ dist: process.argv[2], mode: 'loopback' }).start(Number(process.argv[3] ?? 0));
  setInterval(() => fake.change([fake.flip(1 + Math.floor(Math.random() * fake.cells.size))]), 1500).unref();
  console.log(fake.url);
}
