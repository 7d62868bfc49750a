// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vite';

// The page is served at `/`, its files below `/board/`. All addresses are relative, so that any prefix of a proxy works.
export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  experimental: {
    renderBuiltUrl: (filename, { hostType }) => (hostType === 'html' ? `board/${filename}` : { relative: true }),
  },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false }, // its inline script would need a hole in the page's CSP
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: { proxy: { '/v1': { target: 'http://127.0.0.1:8080', ws: true } } },
});
