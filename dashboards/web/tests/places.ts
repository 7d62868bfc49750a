// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';

/** Where tests put what they make: the build directory of the repository, or BOARD_BUILD. */
const build = process.env['BOARD_BUILD'] ?? new URL('../../../build/web/board', import.meta.url).pathname;
export const dist = join(build, 'dist');
export const screens = join(build, 'screens');
