// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vite';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic' } },
  resolve: { dedupe: ['@openfeature/core', '@openfeature/web-sdk'] }, // one SDK, also where the provider is a linked folder
});
