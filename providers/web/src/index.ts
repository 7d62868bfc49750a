// SPDX-License-Identifier: Apache-2.0
export { FlagstaffWebProvider } from './provider.js';
export type { CredentialSource, FlagstaffOptions, SocketConstructor, SocketLike } from './options.js';
