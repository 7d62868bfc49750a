// SPDX-License-Identifier: Apache-2.0
// Serves this folder, and the modules of node_modules under /modules/, on this machine: [PORT=3000] node serve.mjs
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.map': 'application/json' };
const files = { '/': 'index.html', '/page.js': 'page.js' };
const module = /^\/modules\/((?:@?[\w-]+\/)+[\w.-]+\.(?:js|map))$/;

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const name = files[pathname] ?? (module.test(pathname) ? `node_modules/${module.exec(pathname)[1]}` : undefined);
  try {
    const content = await readFile(new URL(name, import.meta.url));
    response.writeHead(200, { 'Content-Type': types[extname(name)], 'Cache-Control': 'no-store' }).end(content);
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
